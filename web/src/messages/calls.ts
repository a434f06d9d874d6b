// Words of calls: while it rings, while two talk, and what came of it.

import type { Call } from '../calls/call-protocol';
import type { RecordingView } from '../calls/calls-view';
import { translator } from '../lib/i18n';

export const callWords = translator({
  en: {
    calls: 'Calls',
    called: '{name} is calling',
    alsoCalled: 'Also ringing: {names}',
    calling: 'Calling {name}…',
    talking: 'In a call with {name}',
    talkingOpen: 'The microphone is on.',
    opening: 'Opening the microphone…',
    muted: 'Muted: nobody hears you, and the microphone stays on.',
    deaf: 'Nobody can hear you.',
    byItself: 'This device answers by itself in a moment.',
    answersItself: 'Answer calls of other devices by itself',
    answersItselfHint: 'For a device on the wall: two seconds after the bell its microphone opens, and the screen says so.',
    answer: 'Answer',
    decline: 'Decline',
    cancel: 'Cancel',
    hangUp: 'Hang up',
    mute: 'Mute',
    again: 'Call again',
    back: 'Call back',
    close: 'Close',
    declined: '{name} declined.',
    missed: '{name} didn’t answer.',
    away: '{name} isn’t here.',
    busy: '{name} is in another call.',
    doNotDisturb: '{name} doesn’t want to be disturbed.',
    cancelled: 'The call was cancelled.',
    answered: '{name} answered.',
    missedCall: 'Missed call from {name}',
    several: '{names} and {last}',
    refusedNobody: 'There is nobody to call. Devices with a name can be called: open this page there, and enter one.',
    refusedNameless: 'Give this device a name first, in the settings.',
    refusedEngaged: 'Hang up first.',
    refusedTooFast: 'Too many calls. Wait a few seconds.',
    refusedFull: 'Too many calls at once. Try again later.',
    refusedOver: 'This call is over.',
    refusedAnswered: 'Somebody else answered.',
    refusedNotPermitted: 'Calling is not part of this link.',
    refused: 'This call isn’t possible.',
    leaveMessage: 'Leave a message',
    messageFor: 'Message for {name}',
    messageOpening: 'Opening the microphone…',
    messageSpeak: 'Speak now.',
    messageTime: '{time} of {most}',
    messageSending: 'Sending…',
    messageSent: '{name} will find your message.',
    messageLost: 'The connection was lost. What you said until then is kept.',
    messageNotBegun: 'No connection, so nothing was recorded. Try again.',
    messageFull: 'The mailbox is full. Somebody has to listen to messages, or delete some.',
    messageNothing: 'Nothing was recorded. Is the microphone muted?',
    messageNotKept: 'The message could not be kept: the relay’s disk is full or can’t be written.',
    messageOff: 'Messages are turned off here.',
    messageMicrophone: 'The microphone can’t be used. Allow it in the browser, and try again.',
    messageFailed: 'This message could not be left.',
    send: 'Send',
    discard: 'Discard',
    newMessage: 'New message from {name}',
    newMessages: '{count} new messages',
    listen: 'Listen',
    later: 'Later',
    messages: 'Messages',
    noMessages: 'No messages. Whoever doesn’t reach this device, or a room that it listens to, can leave one.',
    noName: 'Give this device a name in the settings; then messages can be left for it.',
    everybody: 'everyone',
    unheard: 'new',
    play: 'Play',
    pause: 'Pause',
    position: 'Position in the message',
    speed: 'Speed: {speed} times',
    delete: 'Delete',
    deleteMessage: 'Delete the message from {name}?',
    unplayable: 'The message can’t be played just now. Try again.',
    messageTo: 'for {name}',
    title: 'Calls and devices',
    quiet: 'Do not disturb',
    quietHint: 'Calls and announcements don’t get through, unless they are urgent. You still hear the rooms that you listen to.',
    thisDevice: 'This device',
    wholeHouse: 'Whole house',
    off: 'Off',
    hour: 'For 1 hour',
    night: 'For 8 hours',
    always: 'Until turned off',
    until: 'until {time}',
    everyDay: 'Quiet hours every day',
    hoursFrom: 'From',
    hoursUntil: 'Until',
    log: 'Recent calls',
    noCalls: 'No calls yet.',
    clear: 'Clear the list',
    devices: 'Devices with a name',
    noDevices: 'None yet. Whoever joins with a name is one.',
    here: 'here',
    onPhone: 'rings on the phone',
    phone: 'Ring on this phone too, while the page is closed',
    noPhone: 'No phone',
    panel: 'Use it as a wall panel',
    phoneHint: 'For a phone with Home Assistant’s app: choose it here, on the phone itself.',
    seen: 'last here: {time}',
    remove: 'Remove {name}',
    removeNow: 'Remove',
    sure: 'Tap again to remove',
    from: '{from} → {to}',
    outcome_answered: 'answered by {by}, {seconds} s',
    outcome_declined: 'declined',
    outcome_missed: 'not answered',
    outcome_cancelled: 'cancelled',
    outcome_busy: 'busy',
    loading: 'Loading…',
    unreachable: 'The relay can’t be reached.',
  },
  de: {
    calls: 'Anrufe',
    called: '{name} ruft an',
    alsoCalled: 'Klingelt auch bei: {names}',
    calling: 'Rufe {name} an…',
    talking: 'Im Gespräch mit {name}',
    talkingOpen: 'Das Mikrofon ist an.',
    opening: 'Öffne das Mikrofon…',
    muted: 'Stumm: Niemand hört dich, das Mikrofon bleibt an.',
    deaf: 'Niemand kann dich hören.',
    byItself: 'Dieses Gerät nimmt gleich von selbst an.',
    answersItself: 'Anrufe anderer Geräte von selbst annehmen',
    answersItselfHint: 'Für ein Gerät an der Wand: Zwei Sekunden nach der Klingel geht sein Mikrofon an, und der Bildschirm sagt es.',
    answer: 'Annehmen',
    decline: 'Ablehnen',
    cancel: 'Abbrechen',
    hangUp: 'Auflegen',
    mute: 'Stumm',
    again: 'Noch einmal anrufen',
    back: 'Zurückrufen',
    close: 'Schließen',
    declined: '{name} hat abgelehnt.',
    missed: '{name} hat nicht geantwortet.',
    away: '{name} ist nicht da.',
    busy: '{name} ist in einem anderen Gespräch.',
    doNotDisturb: '{name} möchte nicht gestört werden.',
    cancelled: 'Der Anruf wurde abgebrochen.',
    answered: '{name} hat angenommen.',
    missedCall: 'Verpasster Anruf von {name}',
    several: '{names} und {last}',
    refusedNobody: 'Es ist niemand da, den man anrufen kann. Geräte mit Namen kann man anrufen: Öffne dort diese Seite und gib einen ein.',
    refusedNameless: 'Gib diesem Gerät zuerst einen Namen, in den Einstellungen.',
    refusedEngaged: 'Leg zuerst auf.',
    refusedTooFast: 'Zu viele Anrufe. Warte ein paar Sekunden.',
    refusedFull: 'Zu viele Anrufe auf einmal. Versuche es später.',
    refusedOver: 'Dieser Anruf ist vorbei.',
    refusedAnswered: 'Jemand anders hat angenommen.',
    refusedNotPermitted: 'Anrufen gehört nicht zu diesem Link.',
    refused: 'Dieser Anruf ist nicht möglich.',
    leaveMessage: 'Nachricht hinterlassen',
    messageFor: 'Nachricht für {name}',
    messageOpening: 'Öffne das Mikrofon…',
    messageSpeak: 'Sprich jetzt.',
    messageTime: '{time} von {most}',
    messageSending: 'Wird gesendet…',
    messageSent: '{name} findet deine Nachricht vor.',
    messageLost: 'Die Verbindung ist abgebrochen. Was du bis dahin gesagt hast, ist gespeichert.',
    messageNotBegun: 'Keine Verbindung, deshalb wurde nichts aufgenommen. Versuche es noch einmal.',
    messageFull: 'Der Anrufbeantworter ist voll. Jemand muss Nachrichten anhören oder löschen.',
    messageNothing: 'Es wurde nichts aufgenommen. Ist das Mikrofon stumm?',
    messageNotKept: 'Die Nachricht konnte nicht gespeichert werden: Der Speicher der Anlage ist voll oder nicht beschreibbar.',
    messageOff: 'Nachrichten sind hier ausgeschaltet.',
    messageMicrophone: 'Das Mikrofon lässt sich nicht benutzen. Erlaube es im Browser und versuche es noch einmal.',
    messageFailed: 'Diese Nachricht konnte nicht hinterlassen werden.',
    send: 'Senden',
    discard: 'Verwerfen',
    newMessage: 'Neue Nachricht von {name}',
    newMessages: '{count} neue Nachrichten',
    listen: 'Anhören',
    later: 'Später',
    messages: 'Nachrichten',
    noMessages: 'Keine Nachrichten. Wer dieses Gerät oder einen Raum, den es hört, nicht erreicht, kann eine hinterlassen.',
    noName: 'Gib diesem Gerät in den Einstellungen einen Namen; dann kann man ihm Nachrichten hinterlassen.',
    everybody: 'alle',
    unheard: 'neu',
    play: 'Abspielen',
    pause: 'Pause',
    position: 'Stelle in der Nachricht',
    speed: 'Tempo: {speed}-fach',
    delete: 'Löschen',
    deleteMessage: 'Die Nachricht von {name} löschen?',
    unplayable: 'Die Nachricht lässt sich gerade nicht abspielen. Versuche es noch einmal.',
    messageTo: 'für {name}',
    title: 'Anrufe und Geräte',
    quiet: 'Nicht stören',
    quietHint: 'Anrufe und Durchsagen kommen nicht an, außer dringenden. Räume, denen du zuhörst, hörst du weiterhin.',
    thisDevice: 'Dieses Gerät',
    wholeHouse: 'Ganzes Haus',
    off: 'Aus',
    hour: 'Für 1 Stunde',
    night: 'Für 8 Stunden',
    always: 'Bis zum Ausschalten',
    until: 'bis {time}',
    everyDay: 'Jeden Tag Ruhezeit',
    hoursFrom: 'Von',
    hoursUntil: 'Bis',
    log: 'Letzte Anrufe',
    noCalls: 'Noch keine Anrufe.',
    clear: 'Liste leeren',
    devices: 'Geräte mit Namen',
    noDevices: 'Noch keine. Wer mit Namen mitmacht, ist eines.',
    here: 'da',
    onPhone: 'klingelt am Handy',
    phone: 'Auch auf diesem Handy klingeln, wenn die Seite zu ist',
    noPhone: 'Kein Handy',
    panel: 'Als Wanddisplay verwenden',
    phoneHint: 'Für ein Handy mit der App von Home Assistant: Wähle es hier, auf dem Handy selbst.',
    seen: 'zuletzt da: {time}',
    remove: '{name} entfernen',
    removeNow: 'Entfernen',
    sure: 'Zum Entfernen noch einmal tippen',
    from: '{from} → {to}',
    outcome_answered: 'angenommen von {by}, {seconds} s',
    outcome_declined: 'abgelehnt',
    outcome_missed: 'nicht angenommen',
    outcome_cancelled: 'abgebrochen',
    outcome_busy: 'besetzt',
    loading: 'Lade…',
    unreachable: 'Die Anlage ist nicht erreichbar.',
  },
});

/** Why a call was not begun, by the protocol's code. */
export function refusalInWords(code: string): string {
  switch (code) {
    case 'no_station':
      return callWords('refusedNobody');
    case 'out_of_order':
      return callWords('refusedNameless');
    case 'not_permitted':
      return callWords('refusedNotPermitted');
    case 'engaged':
      return callWords('refusedEngaged');
    case 'too_fast':
      return callWords('refusedTooFast');
    case 'full':
      return callWords('refusedFull');
    case 'call_over':
      return callWords('refusedOver');
    case 'call_answered':
      return callWords('refusedAnswered');
    default:
      return callWords('refused');
  }
}

/** Why a message was not left, by the protocol's code or the microphone's. */
export function messageTroubleInWords({ reason, began }: RecordingView): string {
  switch (reason) {
    case 'connection':
      return callWords(began ? 'messageLost' : 'messageNotBegun');
    case 'full':
      return callWords('messageFull');
    case 'nothing_said':
      return callWords('messageNothing');
    case 'not_kept':
      return callWords('messageNotKept');
    case 'not_permitted':
      return callWords('messageOff');
    case 'denied':
    case 'missing':
    case 'busy':
    case 'policy':
    case 'framed':
    case 'insecure':
    case 'unsupported':
      return callWords('messageMicrophone');
    default:
      return callWords('messageFailed');
  }
}

/** What came of a call of ours that nobody answered. */
export function endingInWords(call: Call): string {
  const name = namesOf(call.to.map((callee) => callee.name));
  if (call.outcome === 'missed' && call.to.every(({ state }) => state === 'do_not_disturb')) return callWords('doNotDisturb', { name });
  if (call.outcome === 'missed' && call.to.every(({ state }) => state === 'away')) return callWords('away', { name });
  return callWords(call.outcome ?? 'missed', { name });
}

/** Several names as one reads them. */
export function namesOf(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : callWords('several', { names: names.slice(0, -1).join(', '), last });
}
