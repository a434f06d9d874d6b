"""Sends a tone by WHIP with FFmpeg's own muxer, that of PyAV's wheels. Usage: send.py ADDRESS FREQUENCY SECONDS"""

import fractions
import sys
import time

import av
import numpy

RATE, FRAME = 48_000, 960

address, frequency, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
with av.open(address, "w", format="whip") as output:
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
