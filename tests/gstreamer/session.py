#!/usr/bin/python3
"""A client of WHIP or WHEP made of GStreamer's webrtcbin.

    session.py send <address> <frequency>    a tone, until it is ended
    session.py hear <address>                samples (16 bits, mono, 48 kHz) to the standard output, until it is ended

It offers before it knows its candidates, and tells them by PATCH (trickle). When its input ends it ends the session by
DELETE, and says so with its exit code."""

import hashlib
import os
import re
import ssl
import subprocess
import sys
import threading
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

OPUS = "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,encoding-params=(string)2,payload=111"
# The bundle policy is the one that it has by itself: then there is no `a=group` in its offer.
SPEAKER = f"audiotestsrc is-live=true freq={{}} ! opusenc ! rtpopuspay pt=111 ! {OPUS} ! webrtcbin name=peer"
HEARER = "rtpopusdepay ! opusdec ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=48000,channels=1 ! fdsink sync=false"


def ask(method, address, body="", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(address, body.encode(), headers, method=method)
    return urllib.request.urlopen(request, timeout=10)


def make_certificate():
    """A key of today's kind, and its fingerprint. GStreamer 1.22 makes RSA keys by itself, which our DTLS does not take."""
    make = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    make += ["-subj", "/CN=test", "-days", "2", "-keyout", "-", "-out", "-"]
    pem = subprocess.run(make, check=True, capture_output=True, text=True).stdout
    der = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERTIFICATE-----") :])
    return pem, hashlib.sha256(der).digest().hex(":").upper()


def certify(_, __, element, pem):
    if element.get_factory() and element.get_factory().get_name() == "dtlsdec":
        element.set_property("pem", pem)


class Session:
    def __init__(self, address, pipeline, peer):
        self.address, self.pipeline, self.peer = address, pipeline, peer
        self.candidates, self.resource, self.tag, self.gathered = [], None, None, False
        pem, self.fingerprint = make_certificate()
        peer.connect("deep-element-added", certify, pem)
        peer.connect("on-negotiation-needed", self.offer)
        peer.connect("on-ice-candidate", lambda _, line, candidate: self.candidates.append(candidate))
        peer.connect("notify::ice-gathering-state", self.note_gathering)

    def offer(self, peer):
        peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self.post))

    def post(self, promise):
        try:
            self.begin(promise)
        except Exception as error:
            # Nobody above would end for it.
            print(error, file=sys.stderr)
            os._exit(1)

    def begin(self, promise):
        created = promise.get_reply()
        offer = created.get_value("offer")
        # It makes the fingerprint of certificate and key together.
        text = re.sub("a=fingerprint:[^\r\n]*", f"a=fingerprint:sha-256 {self.fingerprint}", offer.sdp.as_text())
        self.peer.emit("set-local-description", offer, Gst.Promise.new())
        reply = ask("POST", self.address, text, Content_Type="application/sdp")
        self.tag = reply.headers["ETag"]
        self.resource = urllib.parse.urljoin(self.address, reply.headers["Location"])
        _, description = GstSdp.SDPMessage.new_from_text(reply.read().decode())
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, description)
        self.peer.emit("set-remote-description", answer, Gst.Promise.new())
        GLib.idle_add(self.trickle)

    def note_gathering(self, peer, _):
        self.gathered = peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE
        GLib.idle_add(self.trickle)

    def trickle(self):
        if self.gathered and self.resource and self.candidates:
            lines = [f"a={candidate}" for candidate in self.candidates]
            fragment = "\r\n".join(["m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:audio0", *lines, "a=end-of-candidates", ""])
            ask("PATCH", self.resource, fragment, Content_Type="application/trickle-ice-sdpfrag", If_Match=self.tag)
            self.candidates = []

    def end(self):
        ask("DELETE", self.resource)
        self.pipeline.set_state(Gst.State.NULL)


def hear(_, pad, pipeline):
    if pad.get_direction() == Gst.PadDirection.SRC:
        hearer = Gst.parse_bin_from_description(HEARER, True)
        pipeline.add(hearer)
        hearer.sync_state_with_parent()
        pad.link(hearer.get_static_pad("sink"))


def main():
    Gst.init(None)
    sends, address = sys.argv[1] == "send", sys.argv[2]
    pipeline = Gst.parse_launch(SPEAKER.format(sys.argv[3]) if sends else "webrtcbin name=peer")
    if not isinstance(pipeline, Gst.Pipeline):
        peer, pipeline = pipeline, Gst.Pipeline.new()
        pipeline.add(peer)
    else:
        peer = pipeline.get_by_name("peer")
    session = Session(address, pipeline, peer)
    loop = GLib.MainLoop()
    if not sends:
        peer.connect("pad-added", hear, pipeline)
        # Before it plays: it would offer nothing, otherwise, if it is quicker.
        peer.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(OPUS))
    pipeline.set_state(Gst.State.PLAYING)
    threading.Thread(target=lambda: (sys.stdin.read(), GLib.idle_add(loop.quit)), daemon=True).start()
    loop.run()
    session.end()


main()
