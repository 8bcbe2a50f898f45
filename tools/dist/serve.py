"""Runs a command, and meanwhile lets the Pulumi CLI find a folder's files where it would download a plugin from.

    serve.py FOLDER SERVER COMMAND...

SERVER is what a package gives as `pluginDownloadURL`. The CLI decides what the file is called that it asks for there.
"""

import os
import re
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def main(folder: str, server: str, *command: str) -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        overrides = f"^{re.escape(server)}$=http://127.0.0.1:{http.server_port}"
        return subprocess.run(command, env=os.environ | {"PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES": overrides}).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
