/** BEP 10 for one connection: the handshakes, message ids, and the extensions behind them. */
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
import { SERVE_QUEUE_MAX } from './serve-queue.ts';

/** Most peers' handshakes are 150 bytes; this leaves room for long client names. */
const HANDSHAKE_BYTES_MAX = 16 * 1024;

/** What we say about ourselves. */
export interface HelloFields {
  readonly clientName: string;
  readonly listenPort: number;
  /** Length of the info dictionary when we have it, else null. */
  readonly metadataBytes: number | null;
  /** We want nothing any more (BEP 21). */
  readonly isUploadOnly: boolean;
}

/** What the remote said that others want to know. */
export interface RemoteHello {
  readonly reqq: number | null;
  readonly listenPort: number | null;
  readonly clientName: string | null;
  /** It wants nothing any more, though it may lack pieces (BEP 21); null when it does not say. */
  readonly isUploadOnly: boolean | null;
}

/** Our message ids: 1 is the metadata extension, then the others in order. */
const FIRST_EXTENSION_ID = 2;

/** The extension side of one connection. */
export class ExtensionHub {
  readonly #extensions: readonly PeerExtension[];
  readonly #metadata: MetadataExchange;
  readonly #transmit: (message: Uint8Array) => void;
  readonly #onDontHave: (piece: number) => void;
  /** One per extension, in order. */
  readonly sessions: readonly PeerExtensionSession[];
  /** The remote's ids by our extension's name. */
  readonly #remoteIds = new Map<string, number>();
  #hasGreeted = false;

  constructor(
    extensions: readonly PeerExtension[],
    deps: {
      readonly metadata: MetadataExchange;
      readonly transmit: (message: Uint8Array) => void;
      /** The remote lost a piece (BEP 54). */
      readonly onDontHave: (piece: number) => void;
      /** The link for one extension; `send` goes through this hub. */
      readonly linkFor: (send: (payload: Uint8Array) => void) => PeerLink;
    },
  ) {
    this.#extensions = extensions;
    this.#metadata = deps.metadata;
    this.#transmit = deps.transmit;
    this.#onDontHave = deps.onDontHave;
    this.sessions = extensions.map((extension) =>
      extension.attach(deps.linkFor((payload) => this.sendTo(extension.name, payload))),
    );
  }

  /** Our extension handshake: sent first, and again when the metadata has come. */
  hello(fields: HelloFields): void {
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
    const payload = encodeBencode({
      m: ids,
      ...(fields.metadataBytes === null ? {} : { metadata_size: fields.metadataBytes }),
      ...(fields.listenPort > 0 ? { p: fields.listenPort } : {}),
      reqq: SERVE_QUEUE_MAX,
      upload_only: fields.isUploadOnly ? 1 : 0,
      v: fields.clientName,
    });
    this.#transmit(encodeExtended(0, payload));
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

  /** Dispatches a message. What the remote says of itself is returned for its handshake only. */
  receive(id: number, payload: Uint8Array, now: Instant): RemoteHello | null {
    if (id === 0) return this.#readHello(payload, now);
    if (id === 1) this.#metadata.onMessage(payload);
    else if (id === this.#dontHaveId) this.#onDontHave(decodeDontHave(payload));
    else this.sessions[id - FIRST_EXTENSION_ID]?.onMessage(payload, now);
    return null;
  }

  /** Behind those of the extensions. */
  get #dontHaveId(): number {
    return FIRST_EXTENSION_ID + this.#extensions.length;
  }

  #readHello(payload: Uint8Array, now: Instant): RemoteHello {
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
    return {
      isUploadOnly: uploadOnly === null ? null : uploadOnly !== 0,
      reqq: hello.integer('reqq'),
      listenPort: port !== null && port > 0 && port < 65536 ? port : null,
      clientName: hello.text('v'),
    };
  }
}
