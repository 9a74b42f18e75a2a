"""Races, kills, full disks, hostile servers: what docs/security.md promises holds."""
