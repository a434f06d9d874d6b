// The status page: a self-test in words, every connection in numbers, and a report to copy.

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';

import '../ui/live-chart';
import { copyText, selectText } from '../lib/clipboard';
import { ConnectionLog, type LoggedConnection } from '../lib/connection-log';
import { diagnose, worstOf, type Finding } from '../lib/diagnosis';
import { statusWords as t } from '../messages/status';
import { partStyles } from '../ui/part.styles';
import { askRelay, type RelayInfo } from '../lib/relay-info';
import { gatherFacts } from '../lib/self-test';
import type { HouseSession } from '../house/house-session';
import type { HouseView } from '../house/house-view';
import { delayOf, deviceLines, linesOf, relayLines, rowsOf, titleOf, type Line, type Row } from './status-measures';
import { statusPageStyles } from './status-page.styles';
import { reportOf } from './status-report';

/** How often to ask the relay about itself. */
const INFO_MS = 5_000;

/** Signs of the verdicts, for those who see; the words beside them are for everybody else. */
const MARKS = { ok: '✓', attention: '!', wrong: '×', skipped: '–' };

declare global {
  interface HTMLElementTagNameMap {
    'status-page': StatusPage;
  }
}

@customElement('status-page')
export class StatusPage extends LitElement {
  static override styles = [partStyles, statusPageStyles];

  @property({ attribute: false }) session: HouseSession | null = null;

  @state() private connections: readonly LoggedConnection[] = [];
  @state() private info: RelayInfo | null = null;
  @state() private findings: readonly Finding[] = [];
  @state() private testing = false;
  /** The report, where the person has to copy it; and what was said of it. */
  @state() private report = '';
  @state() private said = '';
  @query('h1') private heading!: HTMLElement;

  private log: ConnectionLog | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.leave();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.watch();
  }

  protected override firstUpdated(): void {
    this.heading.focus();
  }

  protected override updated(changes: PropertyValues<this>): void {
    if (changes.has('session')) this.watch();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { session } = this;
    if (!session) return nothing;
    const { view } = session;
    return html`
      <main>
        <header>
          <a class="back" href="#/">${t('back')}</a>
          <h1 tabindex="-1">${t('title')}</h1>
        </header>
        ${this.renderTest()} ${this.renderConnections(view)}
        <section aria-labelledby="relay">
          <h2 id="relay">${t('relay')}</h2>
          ${renderLines(relayLines(this.info, session.base), 'long')}
        </section>
        <section aria-labelledby="device">
          <h2 id="device">${t('device')}</h2>
          ${renderLines(deviceLines(view), 'long')}
        </section>
        ${this.renderReport()}
      </main>
    `;
  }

  private watch(): void {
    this.leave();
    const { session } = this;
    if (!session) return;
    this.log = new ConnectionLog(session, () => {
      this.connections = this.log?.connections ?? [];
    });
    this.log.start();
    this.timer = setInterval(() => void this.learn(), INFO_MS);
    void this.learn();
    void this.test();
  }

  private leave(): void {
    this.log?.stop();
    this.log = null;
    clearInterval(this.timer);
  }

  private async learn(): Promise<void> {
    if (!this.session || document.hidden) return;
    this.info = (await askRelay<RelayInfo>(this.session.base, 'api/info'))?.body ?? this.info;
  }

  private async test(): Promise<void> {
    const { session, log } = this;
    if (!session || !log || this.testing) return;
    this.testing = true;
    this.findings = diagnose(await gatherFacts(session, log));
    this.testing = false;
  }

  private renderTest(): TemplateResult {
    const worst = worstOf(this.findings);
    const summary = { ok: t('allOk'), attention: t('allAttention'), wrong: t('allWrong') }[worst];
    const isDone = !this.testing && this.findings.length > 0;
    return html`
      <section id="self-test" aria-labelledby="test" aria-busy=${this.testing} data-verdict=${isDone ? worst : nothing}>
        <h2 id="test">${t('test')}</h2>
        <p id="summary" role="status">${isDone ? summary : t('testing')}</p>
        <ul class="findings ${this.findings.length ? '' : 'pending'}">
          ${this.findings.map(renderFinding)}
        </ul>
        <div class="buttons">
          <button id="test-again" ?disabled=${this.testing} @click=${() => void this.test()}>${t('again')}</button>
        </div>
      </section>
    `;
  }

  private renderConnections(view: HouseView): TemplateResult {
    return html`
      <section aria-labelledby="connections">
        <h2 id="connections">${t('connections')}</h2>
        ${this.connections.length
          ? repeat(this.connections, ({ role, roomId }) => `${role} ${roomId}`, (connection) => renderConnection(connection, view))
          : html`<p class="note">${t('noConnections')}</p>`}
      </section>
    `;
  }

  private renderReport(): TemplateResult {
    return html`
      <section aria-labelledby="report-heading">
        <h2 id="report-heading">${t('report')}</h2>
        <p class="note">${t('reportNote')}</p>
        <div class="buttons">
          <button id="copy-report" @click=${() => void this.copyReport()}>${t('copyReport')}</button>
        </div>
        <p class="note" id="report-said" role="status">${this.said}</p>
        ${this.report ? html`<textarea id="report" readonly aria-label=${t('reportLabel')} .value=${this.report}></textarea>` : nothing}
      </section>
    `;
  }

  private async copyReport(): Promise<void> {
    if (!this.session) return;
    const { view, base } = this.session;
    const report = reportOf({ base, view, info: this.info, findings: this.findings, connections: this.connections }, new Date());
    const isCopied = await copyText(report);
    this.said = isCopied ? t('copied') : t('copyYourself');
    this.report = isCopied ? '' : report;
    await this.updateComplete;
    const area = this.renderRoot.querySelector('textarea');
    if (area) selectText(area);
  }
}

function renderFinding({ check, verdict, says, advice }: Finding): TemplateResult {
  return html`
    <li class=${verdict} data-check=${check} data-verdict=${verdict}>
      <span class="mark" aria-hidden="true">${MARKS[verdict]}</span>
      <p><span class="unseen">${t(`verdict_${verdict}`)}.</span> <strong>${t(`check_${check}`)}.</strong> ${says}</p>
      ${advice ? html`<p class="note">${advice}</p>` : nothing}
    </li>
  `;
}

function renderConnection(connection: LoggedConnection, view: HouseView): TemplateResult {
  return html`
    <article data-role=${connection.role} data-room=${connection.roomId}>
      <h3>${titleOf(connection, view)}</h3>
      ${renderLines(linesOf(connection))}
      <table>
        <thead>
          <tr>
            <th scope="col">${t('measure')}</th>
            <th scope="col">${t('now')}</th>
            <th scope="col">${t('minute')}</th>
          </tr>
        </thead>
        <tbody>
          ${rowsOf(connection).map(renderRow)}
        </tbody>
      </table>
      <p class="note delay">${delayOf(connection)}</p>
    </article>
  `;
}

function renderRow({ name, label, now, range, values, top }: Row): TemplateResult {
  return html`
    <tr data-measure=${name}>
      <th scope="row">${label}</th>
      <td>${now}</td>
      <td>
        <live-chart .values=${values} top=${top} label=${t('chart', { measure: label, now, range })}></live-chart>
        <small>${range}</small>
      </td>
    </tr>
  `;
}

/** Short lines, or long ones, whose values a narrow screen shows below their names. */
function renderLines(lines: readonly Line[], length: 'short' | 'long' = 'short'): TemplateResult {
  return html`<dl class=${length}>
    ${lines.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}
  </dl>`;
}
