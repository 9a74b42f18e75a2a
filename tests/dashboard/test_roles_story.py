"""Three people on one dashboard, in a real browser, each with the cookie that a login leaves."""

import json
from pathlib import Path
from urllib.parse import urlsplit

from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from crowdselect import pipeline
from crowdselect.deeds import read_deeds
from crowdselect.roles import PEOPLE
from crowdselect.settings import Workspace
from tests.browser import Server, Watched, browser_page, serve
from tests.dashboard import small
from tests.dashboard.conftest import APP
from tests.dashboard.driving import TIMEOUT_MS, address, shown

SECRET = "only-for-this-test"
AUTH = f"""
[auth]
redirect_uri = "http://127.0.0.1/oauth2callback"
cookie_secret = "{SECRET}"
client_id = "id"
client_secret = "secret"
server_metadata_url = "http://127.0.0.1:9/.well-known/openid-configuration"
"""
PEOPLE_TOML = """
admin = ["ann@example.org"]
curator = ["bob@example.org"]
viewer = ["@example.com"]
[crowds]
hidden = ["curator"]
"""


def log_in(watched: Watched, server: Server, email: str, **claims: object) -> None:
    """The cookie that Streamlit sets after a login, signed with its secret."""
    parts = urlsplit(server.url)
    user = {"is_logged_in": True, "email": email, "name": email.split("@")[0].title(), **claims}
    value = json.dumps({"origin": f"{parts.scheme}://{parts.netloc}", **user})
    signed = create_signed_value(SECRET, "_streamlit_user", value).decode()
    watched.page.context.add_cookies(
        [{"name": "_streamlit_user", "value": signed, "url": server.url}]
    )


def open_page(watched: Watched, server: Server, page: str, said: str, **params: object) -> None:
    watched.page.goto(address(server, page, **params))
    shown(watched.page, said)
    watched.idle()


def test_each_sees_and_does_what_their_role_allows(ready: Workspace, tmp_path: Path) -> None:
    table = tmp_path / "hidden.csv"
    rows = [
        f"h{i},Say {i} please,m{m},yes {i} {m},{(i * m) % 7}" for i in range(12) for m in (1, 2, 3)
    ]
    table.write_text("\n".join(["id,instruction,model,response,judge", *rows]))
    pipeline.ingest(ready, "table", [table], name="hidden")
    (ready.root / PEOPLE).write_text(PEOPLE_TOML)
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(AUTH)
    environment = {"CROWDSELECT_WORKSPACE": str(ready.root), "OMP_NUM_THREADS": "1"}
    with (
        serve(APP, environment, f"--secrets.files={secrets}") as server,
        browser_page() as watched,
    ):
        page = watched.page
        page.set_default_timeout(TIMEOUT_MS)
        open_page(watched, server, "crowd", "open to known people only")

        log_in(watched, server, "mallory@example.net")
        open_page(watched, server, "crowd", "Not invited")
        log_in(watched, server, "eve@example.com", email_verified=False)
        open_page(watched, server, "crowd", "Not invited")

        log_in(watched, server, "eve@example.com")
        open_page(watched, server, "select", "Your role here is viewer", crowd=small.NAME)
        assert page.get_by_role("button", name="Save selection").count() == 0
        open_page(watched, server, "explore", "instructions ·", crowd="hidden")
        assert page.get_by_text("Say 3 please").count() == 0
        assert "hidden" not in page.locator("[data-testid=stMain]").inner_text()

        log_in(watched, server, "bob@example.org")
        open_page(watched, server, "crowd", "12 instructions ·", crowd="hidden")
        assert page.get_by_role("radio", name="Log").count() == 0
        open_page(watched, server, "select", "instructions ·", crowd=small.NAME, budget=9)
        page.get_by_role("button", name="Save selection").click()
        shown(page, "Saved 9 instructions")
        watched.idle()

        log_in(watched, server, "ann@example.org")
        open_page(watched, server, "crowd", "Who did what", **{"crowd.tab": "Log"})
        watched.idle()
        page.screenshot(path=tmp_path / "log.png")
    (saved,) = pipeline.list_selections(ready, small.NAME)
    assert (saved.by, saved.authors) == ("bob@example.org", ("Bob",))
    last = read_deeds(ready)[-1]
    assert (last.who, last.role, last.action) == ("Bob", "curator", "save")
