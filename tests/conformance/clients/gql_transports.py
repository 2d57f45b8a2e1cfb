"""Runs Python's gql over each of its transports: a query, a mutation, a rejected query, and over WebSocket a subscription
that receives an activation.

    TOKEN=… python gql_transports.py --url http://127.0.0.1:PORT/graphql --agent AGENT --version ID --version ID

TOKEN is an editor's, and neither of the agent's versions is active. Each transport validates its documents against the
schema that it reads by introspection. The transports have gql's defaults: sockets offer the older protocol first, then
ours. Prints one JSON object with the results of each transport. Exit code 0: no unexpected error.
"""

import argparse
import asyncio
import json
import os

from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.requests import RequestsHTTPTransport
from gql.transport.websockets import WebsocketsTransport

DEADLINE = 60
VIEWER = "query Viewer { viewer { kind } }"
RENAME = """mutation Rename($input: UpdateAgentInput!) {
  updateAgent(input: $input) { agent { description } revision userErrors { code } }
}"""
ACTIVATE = """mutation Activate($input: ActivateVersionInput!) {
  activateVersion(input: $input) { agent { activeVersion { number } } userErrors { code } }
}"""
WATCH = """subscription Watch($agents: [ID!], $after: Cursor) {
  activations(agentIds: $agents, after: $after) { version { number } reason }
}"""
OPERATORS_ONLY = "query Watchers { watchers(first: 1) { nodes { __typename } } }"


def request(document, **variables):
    asked = gql(document)
    asked.variable_values = variables
    return asked


def rename(agent, name):
    return request(RENAME, input={"agentId": agent, "description": f"by {name}"})


def seen_of(viewer, renamed, refused):
    agent = renamed["updateAgent"]["agent"]
    return {"viewer": viewer["viewer"]["kind"], "description": agent["description"], "refused": refused}


def code(error):
    return error.errors[0]["extensions"]["code"]


def over_requests(transport, agent):
    with Client(transport=transport, fetch_schema_from_transport=True) as session:
        viewer, renamed = session.execute(request(VIEWER)), session.execute(rename(agent, "requests"))
        try:
            refused = session.execute(request(OPERATORS_ONLY))
        except TransportQueryError as error:
            refused = code(error)
        return seen_of(viewer, renamed, refused)


async def answers(session, name, agent):
    viewer, renamed = await session.execute(request(VIEWER)), await session.execute(rename(agent, name))
    try:
        refused = await session.execute(request(OPERATORS_ONLY))
    except TransportQueryError as error:
        refused = code(error)
    return seen_of(viewer, renamed, refused), renamed["updateAgent"]["revision"]


async def over_http(transport, name, agent):
    async with Client(transport=transport, fetch_schema_from_transport=True) as session:
        seen, _ = await answers(session, name, agent)
        return seen


async def over_socket(transport, name, agent, version):
    async with Client(transport=transport, fetch_schema_from_transport=True) as session:
        seen, revision = await answers(session, name, agent)
        # An activation before the subscription has started is its first event.
        events = session.subscribe(request(WATCH, agents=[agent], after=revision))
        first = asyncio.ensure_future(anext(events))
        activate = request(ACTIVATE, input={"agentId": agent, "versionId": version})
        activated = (await session.execute(activate))["activateVersion"]
        activation = (await first)["activations"]
        await events.aclose()
        return {
            **seen,
            "activated": [activated["agent"]["activeVersion"]["number"], activated["userErrors"]],
            "event": [activation["version"]["number"], activation["reason"]],
            "protocol": transport.subprotocol,
        }


async def all_of_them(url, token, agent, versions):
    headers = {"Authorization": f"Bearer {token}"}
    socket = url.replace("http", "ws", 1)
    return {
        "requests": await asyncio.to_thread(over_requests, RequestsHTTPTransport(url=url, headers=headers), agent),
        "httpx": await over_http(HTTPXAsyncTransport(url=url, headers=headers), "httpx", agent),
        "aiohttp": await over_http(AIOHTTPTransport(url=url, headers=headers), "aiohttp", agent),
        # The credential goes in a header of the upgrade, or in the payload of `connection_init`.
        "websockets": await over_socket(
            WebsocketsTransport(url=socket, headers=headers), "websockets", agent, versions[0]
        ),
        "aiohttp websockets": await over_socket(
            AIOHTTPWebsocketsTransport(url=socket, init_payload=headers), "aiohttp websockets", agent, versions[1]
        ),
    }


def main():
    parser = argparse.ArgumentParser()
    for name in ["--url", "--agent"]:
        parser.add_argument(name, required=True)
    parser.add_argument("--version", required=True, action="append")
    options = parser.parse_args()
    work = all_of_them(options.url, os.environ["TOKEN"], options.agent, options.version)
    print(json.dumps(asyncio.run(asyncio.wait_for(work, DEADLINE))))


main()
