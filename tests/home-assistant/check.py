"""What the relay and the real Home Assistant make of each other. `onboard` moves in and leaves a token; `check URL`
looks at everything, `secured URL` at a relay on another machine, `killed`, `fewer` and `alone` at what there is of a daemon that was killed, of a room that is no
more, and of a daemon without a broker."""

import asyncio
import json
import sys
import time

import aiohttp
from aiohttp import web

CORE = "http://127.0.0.1:18123"
TOKEN = "/lab/token"
SPEAKER = "media_player.lab_speaker"
KITCHEN = "sensor.voice_relay_kitchen_people"
HOME = "sensor.voice_relay_home_people"
# Of every place, by what Home Assistant calls such a thing.
ENTITIES = [
    ("binary_sensor", "talking"),
    ("sensor", "people"),
    ("binary_sensor", "announcing"),
    ("notify", "announce"),
    ("siren", "bell"),
    ("number", "volume"),
    ("button", "stop"),
    ("binary_sensor", "ringing"),
    ("button", "ring"),
    ("switch", "do_not_disturb"),
    ("sensor", "messages"),
    ("select", "let_through"),
    ("sensor", "caller"),
    ("event", "call"),
]


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
        flow = await post("/api/config/config_entries/flow", {"handler": "mqtt"}, token=token)
        broker = {"broker": "127.0.0.1", "port": 18830, "protocol": "5"}
        broker["other_settings"] = {"set_client_cert": False, "set_ca_cert": "off", "transport": "tcp"}
        made = await post(f"/api/config/config_entries/flow/{flow['flow_id']}", broker, token=token)
        assert made["type"] == "create_entry", made
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

        async def call(entity, service, **data):
            domain = entity.split(".")[0]
            await socket.ask(type="call_service", domain=domain, service=service, service_data=data, target={"entity_id": entity})

        async def becomes(entity, wanted, limit=30):
            async def is_so():
                return (await state(entity))["state"] == wanted

            await until(f"{entity} is {wanted}", is_so, limit)

        async def exposed():
            """Whatever there is of the relay, and can be used."""
            states = {one["entity_id"]: one["state"] for one in await socket.ask(type="get_states")}
            names = [f"{kind}.voice_relay{place}_{key}" for place in ("", "_home", "_kitchen") for kind, key in ENTITIES]
            return all(states.get(name, "unavailable") != "unavailable" for name in names) and states

        async def entities():
            await until("every entity of the house and its rooms is there", exposed)
            for place in ("", "_home", "_kitchen"):
                for entity, wanted in (("binary_sensor.{}_talking", "off"), ("sensor.{}_people", "0"), ("siren.{}_bell", "off")):
                    await becomes(entity.format(f"voice_relay{place}"), wanted)
            areas = {area["area_id"]: area["name"] for area in await socket.ask(type="config/area_registry/list")}
            devices = await socket.ask(type="config/device_registry/list")
            mine = {one["name"]: areas.get(one["area_id"]) for one in devices if one["manufacturer"] == "Voice Relay"}
            assert mine == {"Voice Relay": None, "Voice Relay Home": None, "Voice Relay Kitchen": "Kitchen"}, mine

            began = time.monotonic()
            await call("siren.voice_relay_kitchen_bell", "turn_on", tone="gong", volume_level=0.5)
            at, event = await socket.event("announcement_started")
            assert event["data"]["to"] == ["room:kitchen"] and event["data"]["name"] == "Bell", event
            print(f"ok: {1000 * (at - began):.0f} ms from the siren turned on to the bell in the room")
            await becomes("siren.voice_relay_kitchen_bell", "on")
            await becomes("binary_sensor.voice_relay_announcing", "on")
            await becomes("binary_sensor.voice_relay_home_announcing", "off")
            await call("siren.voice_relay_kitchen_bell", "turn_off")
            assert (await socket.event("announcement_ended"))[1]["data"]["state"] == "stopped"
            await becomes("siren.voice_relay_kitchen_bell", "off")

            await call("number.voice_relay_kitchen_volume", "set_value", value=40)
            await becomes("number.voice_relay_kitchen_volume", "40")
            await socket.ask(type="fire_event", event_type="relay_lab_evening")
            await becomes("number.voice_relay_home_volume", "30")
            await socket.ask(type="fire_event", event_type="relay_lab_washed")
            await socket.event("announcement_started")
            assert (await socket.event("announcement_ended"))[1]["data"]["name"] == "Bell"
            await call("number.voice_relay_volume", "set_value", value=100)
            await becomes("number.voice_relay_kitchen_volume", "100")

            await call("notify.voice_relay_announce", "send_message", message="Everybody, dinner")
            _, event = await socket.event("announcement_started")
            assert event["data"]["to"] == ["room:home", "room:kitchen"], event
            _, event = await socket.event("announcement_ended")
            assert (event["data"]["name"], event["data"]["state"]) == ("Everybody, dinner", "played"), event

            await call("siren.voice_relay_home_bell", "turn_on", tone="gong")
            await becomes("binary_sensor.voice_relay_home_announcing", "on")
            await socket.event("announcement_started")
            await call("button.voice_relay_stop", "press")
            assert (await socket.event("announcement_ended"))[1]["data"]["state"] == "stopped"
            await becomes("binary_sensor.voice_relay_announcing", "off")
            print("ok: every entity is there by MQTT, and does what it says")

        async def calls():
            """A device with a name is rung by an entity, and by a doorbell without an automation."""
            async with session.ws_connect(f"{relay}/ws") as device:
                async def told(kind):
                    while (message := await device.receive_json())["type"] != kind:
                        pass
                    return time.monotonic(), message

                await device.send_json({"type": "station", "name": "Hall", "rooms": ["kitchen"]})
                await told("station")

                async def rung(who):
                    at, message = await told("call")
                    assert (message["call"]["from"]["name"], message["call"]["state"]) == (who, "ringing"), message
                    return at, message["call"]["id"]

                async def answered(call):
                    await device.send_json({"type": "answer_call", "call": call})
                    while (await told("call"))[1]["call"]["state"] != "over":
                        pass

                await call("button.voice_relay_kitchen_ring", "press")
                _, rings = await rung("Anna")
                await becomes("binary_sensor.voice_relay_kitchen_ringing", "on")
                await becomes("binary_sensor.voice_relay_home_ringing", "off")
                await becomes("sensor.voice_relay_kitchen_caller", "Anna")

                async def happened(kind):
                    async def has():
                        told = (await state("event.voice_relay_kitchen_call"))["attributes"]
                        return (told.get("event_type"), told.get("from"), told.get("call")) == (kind, "Anna", rings)

                    await until(f"the event {kind}", has)

                await happened("ring")
                await answered(rings)
                await happened("answered")
                await becomes("binary_sensor.voice_relay_kitchen_ringing", "off")

                async def known():
                    return [one for one in (await get("/api/doorbells"))["doorbells"] if one["name"] == "Front door"]

                [doorbell] = await until("the doorbell is known", known)
                assert doorbell["to"] == ["everybody"], doorbell
                # What is pressed for the first time was never pressed, for all that its state says.
                await socket.ask(type="fire_event", event_type="relay_lab_doorbell")

                async def pressed():
                    return (await state(doorbell["entity"]))["state"] != "unknown"

                await until("the doorbell was pressed once", pressed)
                await asyncio.sleep(1)
                began = time.monotonic()
                await socket.ask(type="fire_event", event_type="relay_lab_doorbell")
                at, rings = await rung("Front door")
                print(f"ok: {1000 * (at - began):.0f} ms from the doorbell's event to the ring at a device")
                await answered(rings)

                await call("switch.voice_relay_do_not_disturb", "turn_on")
                await becomes("switch.voice_relay_do_not_disturb", "on")
                await call("button.voice_relay_kitchen_ring", "press")
                _, message = await told("call")
                assert message["call"]["to"][0]["state"] == "do_not_disturb", message
                await call("switch.voice_relay_do_not_disturb", "turn_off")
                await becomes("switch.voice_relay_do_not_disturb", "off")
                for option, quiet in (("Nothing", "on"), ("Urgent only", "on"), ("Everything", "off")):
                    await call("select.voice_relay_kitchen_let_through", "select_option", option=option)
                    await becomes("select.voice_relay_kitchen_let_through", option)
                    await becomes("switch.voice_relay_kitchen_do_not_disturb", quiet)

        async def phones():
            """A device whose page is closed is rung by the companion app, and declines there."""
            pushed = asyncio.Queue()

            async def push(request):
                await pushed.put((time.monotonic(), await request.json()))
                return web.json_response({}, status=201)

            app = web.Application()
            app.router.add_post("/push", push)
            runner = web.AppRunner(app)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 18124).start()
            pixel = {"app_id": "io.homeassistant.companion.android", "app_name": "Home Assistant", "app_version": "2026.11", "os_name": "Android", "os_version": "16"}
            pixel |= {"device_name": "Pixel 8", "manufacturer": "Google", "model": "Pixel 8", "device_id": "pixel", "supports_encryption": False}
            pixel["app_data"] = {"push_token": "token", "push_url": "http://127.0.0.1:18124/push"}
            headers = {"Authorization": f"Bearer {token}"}
            async with session.post(f"{CORE}/api/mobile_app/registrations", json=pixel, headers=headers) as answer:
                assert answer.status == 201, await answer.text()
                webhook = (await answer.json())["webhook_id"]

            async def listed():
                return {"id": "mobile_app_pixel_8", "name": "Pixel 8"} in (await get("/api/phones"))["phones"]

            await until("the phone is known", listed)
            async with session.ws_connect(f"{relay}/ws") as device:
                await device.send_json({"type": "station", "name": "Anna", "rooms": []})
                while (await device.receive_json())["type"] != "station":
                    pass
            async with session.put(f"{relay}/api/stations/anna/phone", json={"phone": "mobile_app_pixel_8"}) as answer:
                assert answer.status == 204, await answer.text()
            began = time.monotonic()
            async with session.post(f"{relay}/api/calls", json={"to": "anna", "name": "Front door"}) as answer:
                ringing = await answer.json()
            at, told = await asyncio.wait_for(pushed.get(), 10)
            print(f"ok: {1000 * (at - began):.0f} ms from the call to the push for the phone")
            assert (told["title"], told["message"], told["data"]["tag"]) == ("Front door", "is calling", ringing["id"]), told
            answer, decline = told["data"]["actions"]
            assert answer["action"] == "URI" and answer["uri"].endswith(f"?call={ringing['id']}"), answer
            event = {"event_type": "mobile_app_notification_action", "event_data": {"action": decline["action"]}}
            async with session.post(f"{CORE}/api/webhook/{webhook}", json={"type": "fire_event", "data": event}) as answer:
                assert answer.status == 200, await answer.text()
            _, cleared = await asyncio.wait_for(pushed.get(), 10)
            assert (cleared["message"], cleared["data"]["tag"]) == ("clear_notification", ringing["id"]), cleared
            assert (await get(f"/api/calls/{ringing['id']}"))["outcome"] == "declined"
            async with session.delete(f"{relay}/api/stations/anna") as answer:
                assert answer.status == 204
            await runner.cleanup()
            print("ok: a phone rings by the companion app, and declines")

        async def players():
            """Rooms as media players, by the relay's node."""
            for added in (True, False):
                # As the page's button Connect does; by the second time it is there.
                async with session.post(f"{relay}/api/home-assistant/node") as answer:
                    assert (answer.status, await answer.json()) == (200, {"added": added}), await answer.text()

            async def connected():
                return (await get("/api/home-assistant"))["node"]["connected"]

            await until("Home Assistant is connected to the node", connected, 30)
            print("ok: one call connects Home Assistant to the node")
            room, house = "media_player.kitchen_intercom_speaker", "media_player.voice_relay_speaker"

            async def there():
                states = {one["entity_id"]: one["state"] for one in await socket.ask(type="get_states")}
                return states.get(room) == states.get(house) == "idle"

            await until("rooms are media players", there, 60)
            spoken = {"media_content_id": "media-source://tts/demo?message=Hello&language=en", "media_content_type": "music"}
            began = time.monotonic()
            await call(room, "play_media", announce=True, **spoken)
            at, event = await socket.event("announcement_started")
            assert event["data"]["to"] == ["room:kitchen"], event
            print(f"ok: {1000 * (at - began):.0f} ms from play_media to the speech in the room, made and fetched")
            await becomes(room, "playing")
            assert (await socket.event("announcement_ended"))[1]["data"]["state"] == "played"
            await becomes(room, "idle")
            await call(room, "volume_set", volume_level=0.4)
            await becomes("number.voice_relay_kitchen_volume", "40")
            await call(room, "volume_set", volume_level=1)
            await socket.ask(
                type="call_service", domain="esphome", service="voice_relay_ring", service_data={"room": "kitchen", "tone": "gong"}
            )
            await socket.event("announcement_started")
            _, event = await socket.event("announcement_ended")
            assert (event["data"]["name"], event["data"]["state"]) == ("Bell", "played"), event
            print("ok: rooms are media players, and what is called is done")

        async def live():
            """What is said in a room, on a player, until it is stopped."""
            placed = await announce(live="kitchen", to=SPEAKER, player_volume=60)
            address = f"{relay}/api/announce/{placed['id']}"

            async def plays():
                now = await state(SPEAKER)
                loud = now["state"] == "playing" and now["attributes"]["volume_level"] == 0.6
                return loud and now["attributes"]["fetched"]

            fetched = await until("the room is live on the player", plays)

            async def goes_on():
                return (await state(SPEAKER))["attributes"]["fetched"] > fetched + 16_000

            await until("it goes on", goes_on)
            [part] = (await get(f"/api/announce/{placed['id']}"))["parts"]
            assert part["late"] >= 0, part
            # Once to hear it to its end, twice to end it at once.
            for _ in range(2):
                async with session.delete(address) as answer:
                    assert answer.status in (200, 202, 204), answer.status
            await until("it is as it was", as_before)
            for kind in ("announcement_started", "announcement_ended"):
                await socket.event(kind)
            print(f"ok: a room is live on a player, {part['late']:.2f} s behind when it began, and the player is as it was")

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

        await live()
        await entities()
        await calls()
        await phones()
        await players()
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
        await entities()
        await socket.ask(type="fire_event", event_type="voice_relay_command", event_data={"do": "announce", "room": "kitchen", "message": "Back"})
        _, event = await socket.event("announcement_ended")
        assert event["data"]["state"] == "played", event
        print("ok: the same after a restart of Home Assistant")


async def secured(relay):
    """Home Assistant connects to a node that wants a key, as if it were on another machine, and has its rooms."""
    with open(TOKEN) as file:
        token = file.read()
    async with aiohttp.ClientSession() as session:

        async def linked():
            async with session.get(f"{relay}/api/home-assistant") as answer:
                return (await answer.json())["linked"]

        await until("it is linked", linked)
        socket = await Socket().open(session, token)
        # Two nodes of one name are more than its flow decides by itself.
        for entry in await socket.ask(type="config_entries/get", domain="esphome"):
            path = f"{CORE}/api/config/config_entries/entry/{entry['entry_id']}"
            async with session.delete(path, headers={"Authorization": f"Bearer {token}"}) as answer:
                assert answer.ok, await answer.text()
        async with session.get(f"{relay}/api/home-assistant/node") as answer:
            assert (await answer.json())["key"], await answer.text()
        async with session.post(f"{relay}/api/home-assistant/node") as answer:
            assert (answer.status, await answer.text()) == (200, '{"added":true}'), await answer.text()

        async def there():
            states = {one["entity_id"]: one["state"] for one in await socket.ask(type="get_states")}
            return states.get("media_player.attic_intercom_speaker") == "idle"

        await until("its rooms are media players", there, 60)
        print("ok: a node on the network is connected to with its key")


async def look(what, wanted):
    """Waits until these entities have these states; none where there is to be no entity."""
    with open(TOKEN) as file:
        token = file.read()
    async with aiohttp.ClientSession() as session:
        socket = await Socket().open(session, token)

        async def now():
            states = {one["entity_id"]: one["state"] for one in await socket.ask(type="get_states")}
            return all(states.get(entity) == state for entity, state in wanted.items())

        await until(what, now, 60)
        print(f"ok: {what}")


# What there is of the kitchen by the node, at first.
BY_NODE = {
    "binary_sensor.kitchen_intercom_talking": "off",
    "sensor.kitchen_intercom_people": "0.0",
    "binary_sensor.voice_relay_announcing_2": "off",
    "number.kitchen_intercom_announcement_volume": "100.0",
    "button.kitchen_intercom_stop": "unknown",
    "switch.kitchen_intercom_do_not_disturb": "off",
    "binary_sensor.kitchen_intercom_ringing": "off",
    "sensor.kitchen_intercom_messages": "0.0",
    "select.kitchen_intercom_let_through": "Everything",
    "sensor.kitchen_intercom_caller": "",
    "event.kitchen_intercom_call": "unknown",
    "media_player.kitchen_intercom_speaker": "idle",
}


async def alone(relay):
    """Without a broker: every entity is there by the node, and does what it says."""
    await look("without a broker, entities are there by the node", BY_NODE)
    with open(TOKEN) as file:
        token = file.read()
    async with aiohttp.ClientSession() as session:
        socket = await Socket().open(session, token)
        await socket.ask(type="subscribe_events", event_type="voice_relay")

        async def call(entity, service, **data):
            domain = entity.split(".")[0]
            await socket.ask(type="call_service", domain=domain, service=service, service_data=data, target={"entity_id": entity})

        async def becomes(entity, wanted, attribute=None):
            async def is_so():
                now = next(one for one in await socket.ask(type="get_states") if one["entity_id"] == entity)
                return (now["attributes"].get(attribute) if attribute else now["state"]) == wanted

            await until(f"{entity} is {wanted}", is_so)

        await call("number.kitchen_intercom_announcement_volume", "set_value", value=40)
        await becomes("number.kitchen_intercom_announcement_volume", "40.0")
        await becomes("media_player.kitchen_intercom_speaker", 0.4, "volume_level")
        await call("switch.kitchen_intercom_do_not_disturb", "turn_on")
        await becomes("select.kitchen_intercom_let_through", "Urgent only")
        await call("select.kitchen_intercom_let_through", "select_option", option="Nothing")
        await becomes("select.kitchen_intercom_let_through", "Nothing")
        await call("switch.kitchen_intercom_do_not_disturb", "turn_off")
        await becomes("select.kitchen_intercom_let_through", "Everything")

        speech = {"media_content_id": "media-source://tts/tts.lab_speech?message=Hello", "media_content_type": "music"}
        for end in ("button.kitchen_intercom_stop", "media_player.kitchen_intercom_speaker"):
            await call("media_player.kitchen_intercom_speaker", "play_media", announce=True, **speech)
            await socket.event("announcement_started")
            await becomes("binary_sensor.kitchen_intercom_announcing", "on")
            await becomes("media_player.kitchen_intercom_speaker", "playing")
            await call(end, "press" if end.startswith("button") else "media_stop")
            assert (await socket.event("announcement_ended"))[1]["data"]["state"] == "stopped"
            await becomes("media_player.kitchen_intercom_speaker", "idle")

        async with session.ws_connect(f"{relay}/ws") as device:
            await device.send_json({"type": "station", "name": "Hall", "rooms": ["kitchen"]})
            while (await device.receive_json())["type"] != "station":
                pass
            # Who uses an entity is known two seconds after it is there, when the registry is read anew.
            await asyncio.sleep(3)
            await call("button.kitchen_intercom_ring", "press")
            await becomes("binary_sensor.kitchen_intercom_ringing", "on")
            await becomes("sensor.kitchen_intercom_caller", "Anna")
            await becomes("event.kitchen_intercom_call", "ring", "event_type")
            while (message := await device.receive_json())["type"] != "call":
                pass
            await device.send_json({"type": "hang_up", "call": message["call"]["id"]})
            await becomes("event.kitchen_intercom_call", "declined", "event_type")
            await becomes("binary_sensor.kitchen_intercom_ringing", "off")
        for action, data in (("announce", {"room": "kitchen", "message": "Hello"}), ("ring", {"room": "kitchen", "tone": "gong"})):
            answer = await socket.ask(
                type="call_service", domain="esphome", service=f"voice_relay_{action}", service_data=data, return_response=True
            )
            assert answer["response"] == {"done": True}, answer
            await socket.event("announcement_ended")
        print("ok: by the node, too, every entity does what it says, and it is known who calls")


STEPS = {
    "onboard": onboard,
    "check": check,
    "secured": secured,
    "killed": lambda: look("entities of a daemon that was killed are unavailable", {KITCHEN: "unavailable", HOME: "unavailable"}),
    "fewer": lambda: look("a room that is no more is gone, and the others are back", {KITCHEN: None, HOME: "0"}),
    "alone": alone,
}

if __name__ == "__main__":
    asyncio.run(STEPS[sys.argv[1]](*sys.argv[2:]))
