"""Makes the calls of calls.json with segment-analytics-python: sdk.py URL KEY gzip|plain|single"""
import json
import pathlib
import sys

from segment.analytics.client import Client

url, key, mode = sys.argv[1:]
client = Client(key, host=url, gzip=mode == "gzip", sync_mode=mode == "single", max_retries=4)
for method, call in json.loads((pathlib.Path(__file__).parent / "calls.json").read_text()):
    if method == "identify":
        client.identify(call["userId"], call["traits"])
    elif method == "track":
        client.track(call["userId"], call["event"], call["properties"])
    elif method in ("page", "screen"):
        getattr(client, method)(call["userId"], None, call["name"], call["properties"])
    elif method == "group":
        client.group(call["userId"], call["groupId"], call["traits"])
    else:
        client.alias(call["previousId"], call["userId"])
if mode != "single":
    client.shutdown()
