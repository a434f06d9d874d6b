"""Lets schemathesis send descriptions (SDP) and fragments of them: both are plain text."""

import schemathesis


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def as_text(ctx, value):
    return str(value).encode()
