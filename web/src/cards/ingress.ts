// The way to the relay through Home Assistant's ingress: which app it is, where it is, and a session that stays
// valid. Newer Home Assistants have commands of their own for this; older ones pass requests to the Supervisor.

import { refusalOf, type Hass } from './hass';
import { Trouble } from './trouble';

/** A session lapses after a quarter of an hour; Home Assistant's own frontend also asks once a minute. */
const VALIDATE_MS = 60_000;

/** Slugs under which the relay may be installed: from a folder of this machine, or from any repository. */
const OWN_SLUG = /^(local|[0-9a-f]{8})_voice_relay$/;
const LOCAL_SLUG = 'local_voice_relay';

type CallWS = NonNullable<Hass['callWS']>;

/** What the Supervisor tells of an app. */
interface AppInfo {
  ingress_url?: string | null;
  state?: string;
}

/** A way to the relay. */
export interface Way {
  base: URL;
  throughIngress: boolean;
  /** Gives up what keeps the way open. */
  close(): void;
}

/** Finds the app and opens its ingress. Fails with a {@link Trouble}. */
export async function throughIngress(hass: Hass, call: CallWS, slug: string): Promise<Way> {
  const info = await findApp(hass, call, slug);
  const keeper = new IngressSession(call, info.slug);
  await keeper.open();
  return {
    base: new URL(info.path.replace(/\/?$/, '/'), location.origin),
    throughIngress: true,
    close: () => {
      keeper.close();
    },
  };
}

async function findApp(hass: Hass, call: CallWS, slug: string): Promise<{ slug: string; path: string }> {
  const slugs = slug ? [slug] : await candidates(hass, call);
  const troubles: Trouble[] = [];
  for (const one of slugs) {
    try {
      const info = await appInfo(call, one);
      if (info.ingress_url && (info.state ?? 'started') === 'started') return { slug: one, path: info.ingress_url };
      troubles.push(new Trouble('notStarted', one));
    } catch (error) {
      troubles.push(troubleOf(error, one));
    }
  }
  // An app that is there says more than one that is not.
  throw troubles.find(({ code }) => code !== 'notInstalled') ?? troubles[0] ?? new Trouble('notInstalled', LOCAL_SLUG);
}

/** Slugs to try: those in the sidebar, those that the Supervisor lists to administrators, the usual one. */
async function candidates({ panels }: Hass, call: CallWS): Promise<string[]> {
  const listed = await call<{ addons?: { slug: string }[] }>({ type: 'supervisor/api', endpoint: '/addons', method: 'get' }).then(
    ({ addons }) => (addons ?? []).map(({ slug }) => slug),
    // Only administrators may ask.
    () => [],
  );
  const known = [...Object.keys(panels ?? {}), ...listed].filter((slug) => OWN_SLUG.test(slug));
  return [...new Set([...known, LOCAL_SLUG])];
}

function appInfo(call: CallWS, slug: string): Promise<AppInfo> {
  return either(
    call<AppInfo>({ type: 'supervisor/ingress/info', slug }),
    () => call<AppInfo>({ type: 'supervisor/api', endpoint: `/addons/${slug}/info`, method: 'get' }),
  );
}

function troubleOf(error: unknown, slug: string): Trouble {
  const { code } = refusalOf(error);
  if (code === 'unauthorized') return new Trouble('notAllowed', slug);
  return new Trouble(code === 'unknown_command' ? 'noApps' : 'notInstalled', slug);
}

/** The newer command, or the older request where Home Assistant does not know it. */
async function either<Result>(newer: Promise<Result>, older: () => Promise<Result>): Promise<Result> {
  try {
    return await newer;
  } catch (error) {
    if (refusalOf(error).code !== 'unknown_command') throw error;
    return older();
  }
}

/** The cookie that lets requests through, renewed for as long as it is needed. */
class IngressSession {
  private session = '';
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly call: CallWS,
    private readonly slug: string,
  ) {}

  async open(): Promise<void> {
    await this.renew();
    this.timer = setInterval(this.validate, VALIDATE_MS);
    // After a sleep the session may have lapsed, and the timer has slept as well.
    document.addEventListener('visibilitychange', this.validate);
  }

  close(): void {
    clearInterval(this.timer);
    document.removeEventListener('visibilitychange', this.validate);
  }

  private readonly validate = (): void => {
    const { call, session } = this;
    const data = { session };
    either(
      call({ type: 'supervisor/ingress/validate_session', session }),
      () => call({ type: 'supervisor/api', endpoint: '/ingress/validate_session', method: 'post', data }),
    )
      .catch(() => this.renew())
      // Home Assistant is away as a whole; the next round will tell.
      .catch(() => undefined);
  };

  private async renew(): Promise<void> {
    const { call, slug } = this;
    try {
      const { session } = await either(
        call<{ session: string }>({ type: 'supervisor/ingress/session', slug }),
        () => call<{ session: string }>({ type: 'supervisor/api', endpoint: '/ingress/session', method: 'post' }),
      );
      this.session = session;
    } catch (error) {
      throw troubleOf(error, slug);
    }
    const secure = location.protocol === 'https:' ? ';Secure' : '';
    document.cookie = `ingress_session=${this.session};path=/api/hassio_ingress/;SameSite=Strict${secure}`;
  }
}
