/**
 * BEP 10 for one connection: what both ends say of themselves, message ids, and the extensions
 * behind them.
 */
import { concatBytes, type Instant } from '../units/index.ts';
import {
  DONT_HAVE_EXTENSION,
  decodeBencodeDict,
  decodeDontHave,
  encodeBencode,
  encodeDontHave,
  encodeExtended,
} from '../wire/index.ts';
import type { PeerExtension, PeerExtensionSession, PeerLink } from './extension.ts';
import { METADATA_EXTENSION, type MetadataExchange } from './metadata-exchange.ts';
import { type EngineContext, saysUploadOnly } from './peer-owner.ts';
import { SERVE_QUEUE_MAX } from './serve-queue.ts';

/** Most peers' handshakes are 150 bytes; this leaves room for long client names. */
const HANDSHAKE_BYTES_MAX = 16 * 1024;

/** The torrent, as far as we tell of it; a `PeerOwner` is one. */
export interface Greeter {
  readonly engine: Pick<EngineContext, 'extensions' | 'clientName' | 'listenPort'>;
  readonly infoBytes: Uint8Array | null;
  readonly isSated: boolean;
  readonly revealing: { readonly isOn: boolean };
}

/** What the remote says that others want to know; null is what it does not say. */
export interface RemoteHello {
  /** How many requests it keeps. */
  readonly reqq: number | null;
  readonly listenPort: number | null;
  readonly clientName: string | null;
  /** It wants nothing any more, though it may lack pieces (BEP 21). */
  readonly isUploadOnly: boolean | null;
}

/** Our message ids: 1 is the metadata extension, then the others in order. */
const FIRST_EXTENSION_ID = 2;

/** The extension side of one connection. */
export class ExtensionHub {
  readonly #owner: Greeter;
  readonly #extensions: readonly PeerExtension[];
  readonly #metadata: MetadataExchange;
  readonly #transmit: (message: Uint8Array) => void;
  readonly #onDontHave: (piece: number) => void;
  /** One per extension, in order. */
  readonly sessions: readonly PeerExtensionSession[];
  /** The remote's ids by our extension's name. */
  readonly #remoteIds = new Map<string, number>();
  #remote: RemoteHello = { reqq: null, listenPort: null, clientName: null, isUploadOnly: null };
  #hasGreeted = false;
  /** Whether we last said that we want nothing any more. */
  #saidUploadOnly = false;

  constructor(
    owner: Greeter,
    deps: {
      readonly metadata: MetadataExchange;
      readonly transmit: (message: Uint8Array) => void;
      /** The remote lost a piece (BEP 54). */
      readonly onDontHave: (piece: number) => void;
      /** The link for one extension; `send` goes through this hub. */
      readonly linkFor: (send: (payload: Uint8Array) => void) => PeerLink;
    },
  ) {
    this.#owner = owner;
    this.#extensions = owner.engine.extensions;
    this.#metadata = deps.metadata;
    this.#transmit = deps.transmit;
    this.#onDontHave = deps.onDontHave;
    this.sessions = this.#extensions.map((extension) =>
      extension.attach(deps.linkFor((payload) => this.sendTo(extension.name, payload))),
    );
  }

  /** All that the remote has said so far. */
  get remote(): RemoteHello {
    return this.#remote;
  }

  /** Our extension handshake: sent first, and again when the metadata has come. */
  greet(): void {
    const { infoBytes, engine } = this.#owner;
    const ids: Record<string, number> = {
      [METADATA_EXTENSION]: 1,
      [DONT_HAVE_EXTENSION]: this.#dontHaveId,
    };
    for (const [at, extension] of this.#extensions.entries()) {
      const isOffered = this.sessions[at]?.isOffered ?? true;
      if (isOffered) ids[extension.name] = FIRST_EXTENSION_ID + at;
      // BEP 10: 0 takes back what an earlier handshake offered.
      else if (this.#hasGreeted) ids[extension.name] = 0;
    }
    this.#hasGreeted = true;
    this.#saidUploadOnly = saysUploadOnly(this.#owner);
    const payload = encodeBencode({
      m: ids,
      ...(infoBytes ? { metadata_size: infoBytes.length } : {}),
      ...(engine.listenPort > 0 ? { p: engine.listenPort } : {}),
      reqq: SERVE_QUEUE_MAX,
      upload_only: this.#saidUploadOnly ? 1 : 0,
      v: engine.clientName,
    });
    this.#transmit(encodeExtended(0, payload));
  }

  /** Greets again when we want something now, or nothing any more (BEP 21). */
  greetIfChanged(): void {
    if (saysUploadOnly(this.#owner) !== this.#saidUploadOnly) this.greet();
  }

  /** Sends to one of the remote's extensions; ignored when it has none of that name. */
  sendTo(name: string, payload: Uint8Array): void {
    const id = this.#remoteIds.get(name);
    if (id !== undefined) this.#transmit(encodeExtended(id, payload));
  }

  /** Whether the remote understands that we have lost pieces (BEP 54). */
  get hearsOfLosses(): boolean {
    return this.remoteHas(DONT_HAVE_EXTENSION);
  }

  /** Says so. */
  tellLost(pieces: readonly number[]): void {
    const id = this.#remoteIds.get(DONT_HAVE_EXTENSION);
    if (id === undefined || pieces.length === 0) return;
    this.#transmit(concatBytes(...pieces.map((one) => encodeExtended(id, encodeDontHave(one)))));
  }

  /** Whether the remote announced an extension. */
  remoteHas(name: string): boolean {
    return this.#remoteIds.has(name);
  }

  /** Dispatches a message; true when it was the remote's handshake. */
  receive(id: number, payload: Uint8Array, now: Instant): boolean {
    if (id === 0) this.#readHello(payload, now);
    else if (id === 1) this.#metadata.onMessage(payload);
    else if (id === this.#dontHaveId) this.#onDontHave(decodeDontHave(payload));
    else this.sessions[id - FIRST_EXTENSION_ID]?.onMessage(payload, now);
    return id === 0;
  }

  /** Behind those of the extensions. */
  get #dontHaveId(): number {
    return FIRST_EXTENSION_ID + this.#extensions.length;
  }

  #readHello(payload: Uint8Array, now: Instant): void {
    const hello = decodeBencodeDict(payload, { lengthBytesMax: HANDSHAKE_BYTES_MAX });
    const ids = hello.dict('m');
    const others = this.#extensions.map((extension) => extension.name);
    for (const name of [METADATA_EXTENSION, DONT_HAVE_EXTENSION, ...others]) {
      const id = ids?.integer(name) ?? null;
      // BEP 10: 0 switches an extension off; a name that is not mentioned stays as it was.
      if (id !== null && id > 0 && id < 256) this.#remoteIds.set(name, id);
      else if (id === 0) this.#remoteIds.delete(name);
    }
    if (this.remoteHas(METADATA_EXTENSION)) {
      this.#metadata.onRemoteSize(hello.integer('metadata_size'));
    }
    for (const [at, extension] of this.#extensions.entries()) {
      if (this.remoteHas(extension.name)) this.sessions[at]?.onSupported(now);
    }
    const port = hello.integer('p');
    const uploadOnly = hello.integer('upload_only');
    const isPort = port !== null && port > 0 && port < 65536;
    const last = this.#remote;
    this.#remote = {
      isUploadOnly: uploadOnly === null ? last.isUploadOnly : uploadOnly !== 0,
      reqq: hello.integer('reqq') ?? last.reqq,
      listenPort: isPort ? port : last.listenPort,
      clientName: hello.text('v') ?? last.clientName,
    };
  }
}
