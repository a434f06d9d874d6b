"""Sends a tone by WHIP with FFmpeg's own muxer, that of PyAV's wheels. Usage: send.py ADDRESS FREQUENCY SECONDS

The key is one of ours: built with GnuTLS, FFmpeg makes one of 224 bits for itself, and the relay's DTLS takes none such."""

import fractions
import subprocess
import sys
import tempfile
import time

import av
import numpy

RATE, FRAME = 48_000, 960

address, frequency, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
folder = tempfile.mkdtemp()
key, certificate = f"{folder}/key.pem", f"{folder}/certificate.pem"
make = "openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=test -days 2".split()
subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
options = {"key_file": key, "cert_file": certificate}
with av.open(address, "w", format="whip", options=options) as output:
    stream = output.add_stream("libopus", rate=RATE)
    stream.layout = "stereo"
    stream.bit_rate = 64_000
    began = time.monotonic()
    for number in range(int(seconds * RATE / FRAME)):
        at = (number * FRAME + numpy.arange(FRAME)) / RATE
        tone = (9_000 * numpy.sin(2 * numpy.pi * frequency * at)).astype(numpy.int16)
        frame = av.AudioFrame.from_ndarray(numpy.repeat(tone, 2).reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, number * FRAME, fractions.Fraction(1, RATE)
        for packet in stream.encode(frame):
            output.mux(packet)
        time.sleep(max(0, began + number * FRAME / RATE - time.monotonic()))
