/**
 * Meeting peers that nobody can dial (BEP 55): both ends dial each other by uTP in the same moment,
 * on the word of a third that is connected to both. One for all torrents.
 */
import { type Endpoint, HOLEPUNCH_EXTENSION } from '../../wire/index.ts';
import type { PeerExtension, PeerExtensionSession, PeerLink } from '../extension.ts';
import { HolepunchSession } from './holepunch-session.ts';
import type { HolepunchDeps } from './holepunch-torrent.ts';

/** Offers `ut_holepunch` to every peer of a torrent that is not private. */
export class Holepunch implements PeerExtension {
  readonly name: string = HOLEPUNCH_EXTENSION;
  readonly #deps: HolepunchDeps;
  /** By the key of their links. */
  readonly #sessions = new Map<number, HolepunchSession>();

  constructor(deps: HolepunchDeps) {
    this.#deps = deps;
  }

  attach(link: PeerLink): PeerExtensionSession {
    const session = new HolepunchSession(link, {
      ...this.#deps,
      sessionOf: (peerKey) => this.#sessions.get(peerKey) ?? null,
      askAnother: (target) => this.onUnreachable(link.torrentKey, target),
      onClosed: () => this.#sessions.delete(link.peerKey),
    });
    this.#sessions.set(link.peerKey, session);
    return session;
  }

  /** Whether a peer speaks the extension. */
  isSpokenBy(peerKey: number): boolean {
    return this.#sessions.get(peerKey)?.isSupported ?? false;
  }

  /** A peer told us of another that can be met through it. */
  onTold(peerKey: number, target: Endpoint): void {
    this.#sessions.get(peerKey)?.onTold(target);
  }

  /** Nobody took our connection: one of those who told us of the address is asked for help. */
  onUnreachable(torrentKey: string, target: Endpoint): void {
    for (const session of this.#sessions.values()) {
      if (session.torrentKey === torrentKey && session.ask(target)) return;
    }
  }
}
