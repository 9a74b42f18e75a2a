"""Page 3: every instruction on a plane, clusters at a slider."""
