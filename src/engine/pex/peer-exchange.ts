/** Peer exchange as an extension of the engine (BEP 11): one for all torrents. */

import { PEX_EXTENSION } from '../../wire/index.ts';
import type { PeerExtension, PeerExtensionSession, PeerLink } from '../extension.ts';
import { PexSession } from './pex-session.ts';
import type { PexDeps } from './pex-torrent.ts';

/** Offers `ut_pex` to every peer of a torrent that is not private. */
export class PeerExchange implements PeerExtension {
  readonly name: string = PEX_EXTENSION;
  readonly #deps: PexDeps;

  constructor(deps: PexDeps) {
    this.#deps = deps;
  }

  attach(link: PeerLink): PeerExtensionSession {
    return new PexSession(link, this.#deps);
  }
}
