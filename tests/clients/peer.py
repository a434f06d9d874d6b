"""aiortc as a client. Usage: peer.py send ADDRESS FREQUENCY | hear ADDRESS | fetch ADDRESS FILE CHUNKS

`send` sends a tone until its input ends, `hear` writes three seconds of samples (16 bits, mono, 48 kHz) to its output, and
`fetch` a file, in a new connection after every so many chunks."""

import asyncio
import fractions
import json
import sys
import time
import urllib.parse
import urllib.request

import av
import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

RATE, FRAME = 48_000, 960


class Tone(MediaStreamTrack):
    kind = "audio"

    def __init__(self, frequency):
        super().__init__()
        self.frequency, self.number, self.began = frequency, 0, time.monotonic()

    async def recv(self):
        await asyncio.sleep(max(0, self.began + self.number * FRAME / RATE - time.monotonic()))
        at = (self.number * FRAME + numpy.arange(FRAME)) / RATE
        tone = (9_000 * numpy.sin(2 * numpy.pi * self.frequency * at)).astype(numpy.int16)
        frame = av.AudioFrame.from_ndarray(tone.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.number * FRAME, fractions.Fraction(1, RATE)
        self.number += 1
        return frame


def ask(method, address, kind=None, body=None):
    headers = {"Content-Type": kind} if kind else {}
    request = urllib.request.Request(address, body and body.encode(), headers, method=method)
    reply = urllib.request.urlopen(request, timeout=10)
    return reply.read().decode(), reply.headers


async def begin(peer, address):
    """Gives the address of the session."""
    await peer.setLocalDescription(await peer.createOffer())
    answer, headers = await asyncio.to_thread(ask, "POST", address, "application/sdp", peer.localDescription.sdp)
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    return urllib.parse.urljoin(address, headers["Location"])


async def end(peer, session):
    await asyncio.to_thread(ask, "DELETE", session)
    await peer.close()


async def send(address, frequency):
    peer = RTCPeerConnection()
    peer.addTransceiver(Tone(float(frequency)), direction="sendonly")
    session = await begin(peer, address)
    await asyncio.to_thread(sys.stdin.read)
    await end(peer, session)


async def hear(address):
    peer = RTCPeerConnection()
    peer.addTransceiver("audio", direction="recvonly")
    session = await begin(peer, address)
    track = peer.getReceivers()[0].track
    resampler = av.AudioResampler("s16", "mono", RATE)
    for _ in range(150):
        for frame in resampler.resample(await track.recv()):
            sys.stdout.buffer.write(frame.to_ndarray().tobytes())
    await end(peer, session)


async def fetch(address, file, chunks):
    got, complete = [], False
    while not complete:
        complete = await fetch_part(address, file, got, int(chunks))
    sys.stdout.buffer.write(b"".join(got))


async def fetch_part(address, file, got, chunks):
    """Whether that was the last."""
    peer, events, enough = RTCPeerConnection(), asyncio.Queue(), len(got) + chunks
    channel = peer.createDataChannel("audioStream")
    channel.on("open", lambda: channel.send(json.dumps({"type": "play", "file": file, "fromChunk": len(got)})))
    channel.on("message", events.put_nowait)
    await peer.setLocalDescription(await peer.createOffer())
    body = {"offer": {"type": "offer", "sdp": peer.localDescription.sdp}, "waits": True}
    reply, _ = await asyncio.to_thread(ask, "POST", address, "application/json", json.dumps(body))
    await peer.setRemoteDescription(RTCSessionDescription(json.loads(reply)["answer"]["sdp"], "answer"))
    complete = False
    while len(got) < enough and not complete:
        event = await asyncio.wait_for(events.get(), 20)
        if isinstance(event, bytes):
            got.append(event)
        else:
            message = json.loads(event)
            assert message["type"] != "error", event
            assert message.get("file", file) == file, event
            complete = message["type"] == "complete"
    await peer.close()
    return complete


asyncio.run({"send": send, "hear": hear, "fetch": fetch}[sys.argv[1]](*sys.argv[2:]))
