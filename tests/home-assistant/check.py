"""What the relay and the real Home Assistant make of each other. `onboard` moves in and leaves a token; `check URL` looks."""

import asyncio
import json
import sys
import time

import aiohttp

CORE = "http://127.0.0.1:18123"
TOKEN = "/lab/token"
SPEAKER = "media_player.lab_speaker"


async def until(what, holds, limit=30):
    end = time.monotonic() + limit
    while not (value := await holds()):
        if time.monotonic() > end:
            raise SystemExit(f"not in time: {what}")
        await asyncio.sleep(0.05)
    return value


class Socket:
    """The core's WebSocket."""

    async def open(self, session, token):
        self.socket, self.last, self.events = await session.ws_connect(f"{CORE}/api/websocket", max_msg_size=0), 0, []
        await self.socket.receive_json()
        await self.socket.send_json({"type": "auth", "access_token": token})
        assert (await self.socket.receive_json())["type"] == "auth_ok"
        return self

    async def ask(self, **message):
        self.last += 1
        await self.socket.send_json({"id": self.last, **message})
        while True:
            answer = await self.socket.receive_json()
            if answer["type"] == "event":
                self.events.append((time.monotonic(), answer["event"]))
            elif answer.get("id") == self.last:
                assert answer["success"], answer
                return answer["result"]

    async def event(self, kind, limit=30):
        """The next event of this type of the relay's."""
        for place, (at, event) in enumerate(self.events):
            if event["data"]["type"] == kind:
                return self.events.pop(place)
        while True:
            answer = await asyncio.wait_for(self.socket.receive_json(), limit)
            if answer["type"] == "event" and answer["event"]["data"]["type"] == kind:
                return time.monotonic(), answer["event"]


async def onboard():
    async with aiohttp.ClientSession() as session:

        async def post(path, body=None, form=None, token=None):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with session.post(CORE + path, json=body, data=form, headers=headers) as answer:
                return await answer.json(content_type=None)

        async def answers():
            try:
                async with session.get(f"{CORE}/api/onboarding") as answer:
                    return answer.ok
            except aiohttp.ClientError:
                return False

        await until("Home Assistant starts", answers, 300)
        client = {"client_id": f"{CORE}/"}
        anna = {**client, "name": "Anna", "username": "anna", "password": "a password", "language": "en"}
        code = (await post("/api/onboarding/users", anna))["auth_code"]
        grant = {**client, "grant_type": "authorization_code", "code": code}
        token = (await post("/auth/token", form=grant))["access_token"]
        for step in ("core_config", "analytics"):
            await post(f"/api/onboarding/{step}", {}, token=token)
        await post("/api/onboarding/integration", {**client, "redirect_uri": f"{CORE}/"}, token=token)
        socket = await Socket().open(session, token)
        lasting = await socket.ask(type="auth/long_lived_access_token", client_name="Voice Relay", lifespan=3650)
        with open(TOKEN, "w") as file:
            file.write(lasting)


async def check(relay):
    with open(TOKEN) as file:
        token = file.read()
    async with aiohttp.ClientSession() as session:

        async def get(path):
            async with session.get(relay + path) as answer:
                return await answer.json()

        async def announce(**wish):
            async with session.post(f"{relay}/api/announce", json=wish) as answer:
                assert answer.status == 202, await answer.text()
                return await answer.json()

        async def state(entity):
            return next(one for one in await socket.ask(type="get_states") if one["entity_id"] == entity)

        async def connect():
            """To a core that has started wholly: media sources come late."""
            socket = await Socket().open(session, token)

            async def runs():
                return (await socket.ask(type="get_config"))["state"] == "RUNNING"

            await until("Home Assistant has started", runs, 120)
            await socket.ask(type="subscribe_events", event_type="voice_relay")
            return socket

        socket = await connect()

        async def known():
            players = await get("/api/players")
            mine = [player for player in players["players"] if player["entity_id"] == SPEAKER]
            return players["speech"] and mine and mine[0]["state"] == "idle" and mine[0]

        player = await until("the player is known", known)
        assert player["volume"] == 0.3 and player["name"] == "Lab speaker", player
        print("ok: the player and the speech engine are known")

        placed = await announce(to=SPEAKER, text="Hello", player_volume=80)

        async def loud():
            now = await state(SPEAKER)
            return now["state"] == "playing" and now["attributes"]["volume_level"] == 0.8

        await until("it plays at its volume", loud)

        async def over():
            now = await get(f"/api/announce/{placed['id']}")
            return now["state"] not in ("waiting", "playing") and now

        ended = await until("it is over", over)
        assert ended["state"] == "played", ended

        async def as_before():
            now = await state(SPEAKER)
            return now["state"] == "idle" and now["attributes"]["volume_level"] == 0.3 and now

        now = await until("it is as it was", as_before)
        assert now["attributes"]["fetched"] > 1_000
        for kind in ("announcement_started", "announcement_ended"):
            await socket.event(kind)
        print("ok: a text was spoken on a player, which is as it was")

        began = time.monotonic()
        await socket.ask(type="call_service", domain="input_button", service="press", target={"entity_id": "input_button.dinner"})
        at, event = await socket.event("announcement_started")
        assert event["data"]["to"] == ["room:kitchen", SPEAKER], event
        print(f"ok: {1000 * (at - began):.0f} ms from the button to the announcement in the room, its speech made")
        _, event = await socket.event("announcement_ended")
        assert event["data"]["state"] == "played", event

        async def told():
            return (await state("input_text.last_announcement"))["state"] == "Dinner is ready: played"

        await until("an automation heard of it", told)
        await until("it is as it was", as_before)
        print("ok: automations as they are in docs/home-assistant.md")

        await socket.ask(type="call_service", domain="input_button", service="press", target={"entity_id": "input_button.bus"})
        _, event = await socket.event("announcement_ended")
        assert event["data"]["name"] == "The bus leaves" and event["data"]["state"] == "played", event
        for ring in ("relay_lab_ring", "relay_lab_ring"):
            await socket.ask(type="fire_event", event_type=ring)
            at, event = await socket.event("announcement_ended")
            assert event["data"]["name"] == "Doorbell" and event["data"]["state"] == "played", event
        await socket.ask(type="fire_event", event_type="relay_lab_night")
        _, event = await socket.event("announcement_ended")
        assert event["data"]["name"] == "Good night" and event["data"]["to"] == ["room:kitchen"], event
        await until("it is as it was", as_before)
        print("ok: the three blueprints")

        await socket.ask(type="fire_event", event_type="voice_relay_command", event_data={"do": "announce", "room": "attic"})
        _, event = await socket.event("command_failed")
        print("ok: told why a command fails:", event["data"]["message"])

        await session.post(f"{CORE}/api/services/homeassistant/restart", headers={"Authorization": f"Bearer {token}"}, json={})

        async def linked():
            return (await get("/api/players"))["linked"]

        async def unlinked():
            return not await linked()

        await until("Home Assistant is gone", unlinked, 60)
        await until("it is back", linked, 120)
        await until("the player is known again", known, 60)

        async def answers():
            try:
                async with session.get(f"{CORE}/api/") as answer:
                    return answer.status in (200, 401)
            except aiohttp.ClientError:
                return False

        await until("Home Assistant answers", answers, 60)
        socket = await connect()
        await socket.ask(type="fire_event", event_type="voice_relay_command", event_data={"do": "announce", "room": "kitchen", "message": "Back"})
        _, event = await socket.event("announcement_ended")
        assert event["data"]["state"] == "played", event
        print("ok: the same after a restart of Home Assistant")


if __name__ == "__main__":
    asyncio.run(onboard() if sys.argv[1] == "onboard" else check(sys.argv[2]))
