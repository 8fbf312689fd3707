/** The firewall service of a router for tests: WANIPv6FirewallControl:1, as miniupnpd answers. */

/** Where pinholes are noted. */
export interface PinholeTable {
  /** Null when nothing is opened. */
  add(key: string, port: number, mayDiffer: boolean): number | null;
  remove(key: string): void;
}

/** How the firewall is. */
export interface FakeFirewallOptions {
  /** `FirewallEnabled` and `InboundPinholeAllowed`; both `1` if left out. */
  readonly status?: readonly [enabled: string, inboundAllowed: string];
  /** What it calls a pinhole; a number if left out. */
  readonly uniqueId?: string;
}

/** Error codes of the standard. */
const INVALID_ARGS = 402;
const NOT_AUTHORIZED = 606;
const DISABLED = 702;
const NO_SUCH_ENTRY = 704;

const SERVICE = 'urn:schemas-upnp-org:service:WANIPv6FirewallControl:1';
const PROTOCOLS: Readonly<Record<string, string>> = { '6': 'tcp', '17': 'udp' };

/** The firewall of one router. */
export class FakeFirewall {
  static readonly SERVICE: string = SERVICE;
  readonly #table: PinholeTable;
  readonly #options: FakeFirewallOptions;
  readonly #keys = new Map<string, string>();

  constructor(table: PinholeTable, options: FakeFirewallOptions) {
    this.#table = table;
    this.#options = options;
  }

  /** From now on it knows no pinhole, as after a restart. */
  forget(): void {
    for (const key of this.#keys.values()) this.#table.remove(key);
    this.#keys.clear();
  }

  /** What a call of `client` returns, or its error code. */
  answer(action: string, field: (name: string) => string, client: string): string | number {
    const [enabled, inboundAllowed] = this.#options.status ?? ['1', '1'];
    if (action === 'GetFirewallStatus') {
      return (
        `<FirewallEnabled>${enabled}</FirewallEnabled>` +
        `<InboundPinholeAllowed>${inboundAllowed}</InboundPinholeAllowed>`
      );
    }
    if (enabled === '0') return DISABLED;
    if (action === 'AddPinhole') return this.#add(field, client);
    const key = this.#keys.get(field('UniqueID'));
    if (key === undefined) return NO_SUCH_ENTRY;
    if (action === 'UpdatePinhole') {
      this.#table.add(key, Number(key.split(' ')[1]), false);
      return isLease(field('NewLeaseTime')) ? '' : INVALID_ARGS;
    }
    if (action !== 'DeletePinhole') return INVALID_ARGS;
    this.#table.remove(key);
    this.#keys.delete(field('UniqueID'));
    return '';
  }

  #add(field: (name: string) => string, client: string): string | number {
    // Whoever has not logged in may only open for itself.
    if (field('InternalClient') !== client) return NOT_AUTHORIZED;
    const protocol = PROTOCOLS[field('Protocol')];
    const isForAll = field('RemoteHost') === '' && field('RemotePort') === '0';
    if (!protocol || !isForAll || !isLease(field('LeaseTime'))) return INVALID_ARGS;
    const port = Number(field('InternalPort'));
    const key = `${protocol} ${port}`;
    if (this.#table.add(key, port, false) === null) return NOT_AUTHORIZED;
    const id = this.#options.uniqueId ?? `${this.#keys.size + 1}`;
    this.#keys.set(id, key);
    return `<UniqueID>${id}</UniqueID>`;
  }
}

/** A lease has an end, within a day (2.2.7 of the standard). */
function isLease(seconds: string): boolean {
  return Number(seconds) >= 1 && Number(seconds) <= 86_400;
}
