// A participant of a room without our page: for networks that are no secure context for it.

/** A tab whose participant of `home` talks with a tone, or only listens; what it was told is in `window.told`. */
export async function bareParticipant(browser, daemon, name, talks) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(daemon.url);
  await page.evaluate(
    async ([called, sends]) => {
      window.told = [];
      const socket = new WebSocket(new URL('ws', location.href.replace('http', 'ws')));
      const say = (message) => socket.send(JSON.stringify(message));
      const expect = (type) =>
        new Promise((resolve) =>
          socket.addEventListener('message', function hear({ data }) {
            const message = JSON.parse(data);
            if (message.type !== type) return;
            socket.removeEventListener('message', hear);
            resolve(message);
          }),
        );
      await new Promise((resolve) => socket.addEventListener('open', resolve));
      socket.addEventListener('message', ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === 'bitrate') window.told.push(message.voice);
      });
      const joined = expect('joined');
      say({ type: 'join', room: 'home', name: called });
      await joined;
      const peer = new RTCPeerConnection();
      const voice = peer.addTransceiver('audio', { direction: 'sendonly' });
      peer.addTransceiver('audio', { direction: 'sendonly' });
      for (let slot = 0; slot < 2; slot++) peer.addTransceiver('audio', { direction: 'recvonly' });
      peer.ontrack = ({ track }) => {
        const audio = new Audio();
        audio.srcObject = new MediaStream([track]);
        void audio.play();
      };
      await peer.setLocalDescription();
      const answer = expect('answer');
      say({ type: 'offer', sdp: peer.localDescription.sdp });
      await peer.setRemoteDescription({ type: 'answer', sdp: (await answer).sdp });
      window.peer = peer;
      if (sends) {
        const context = new AudioContext();
        const [tone, sink] = [context.createOscillator(), context.createMediaStreamDestination()];
        tone.connect(sink);
        tone.start();
        await voice.sender.replaceTrack(sink.stream.getAudioTracks()[0]);
      }
    },
    [name, talks],
  );
  return page;
}
