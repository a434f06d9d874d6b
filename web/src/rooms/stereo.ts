// Stereo for music: Opus is told of it by parameters in the description, and browsers have no other way. Each
// m-line has parameters of its own, so voices stay as they are.

/** The most that music may take, in bits a second. */
export const MUSIC_BITS = 256_000;

/** M-lines of our offer before the slots: voice, music. */
const SENDING = 2;

/** Our offer: what comes in slots may be stereo. */
export function hearsStereo(offer: string): string {
  return withParameters(offer, (index) => index >= SENDING, 'stereo=1');
}

/** The relay's answer: it takes our music in stereo, at the full rate. */
export function takesStereo(answer: string): string {
  return withParameters(answer, (index) => index === 1, `stereo=1;sprop-stereo=1;maxaveragebitrate=${MUSIC_BITS}`);
}

/** Adds parameters of Opus to these audio m-lines, counted from 0, in place of those of the same names. */
function withParameters(sdp: string, isMeant: (index: number) => boolean, parameters: string): string {
  const [session = '', ...media] = sdp.split(/^(?=m=)/m);
  return [session, ...media.map((part, index) => (isMeant(index) ? withOpus(part, parameters) : part))].join('');
}

function withOpus(media: string, parameters: string): string {
  const type = /^a=rtpmap:(\d+) opus\/48000\/2/im.exec(media)?.[1];
  if (type === undefined) return media;
  const names = parameters.split(';').map((parameter) => parameter.split('=')[0]);
  const line = new RegExp(`^a=fmtp:${type} (.*?)(\\r?)$`, 'm');
  const said = (line.exec(media)?.[1] ?? '').split(';').filter((one) => one);
  // A browser that says it by itself may not like to have its words moved.
  if (parameters.split(';').every((one) => said.includes(one))) return media;
  const kept = said.filter((one) => !names.includes(one.trim().split('=')[0]));
  const all = [...kept, ...parameters.split(';')].join(';');
  if (line.test(media)) return media.replace(line, `a=fmtp:${type} ${all}$2`);
  return media.replace(new RegExp(`^(a=rtpmap:${type} .*?)(\\r?\\n)`, 'm'), `$1$2a=fmtp:${type} ${all}$2`);
}
