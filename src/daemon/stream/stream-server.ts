/** The HTTP server that players read from, while the torrent is still being downloaded. */
import type { Readable } from 'node:stream';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { PlatformError } from '../../platform/index.ts';
import { hostAndPort } from '../../units/index.ts';
import { type ByteRange, readRange } from './byte-range.ts';
import { contentTypeOf } from './content-type.ts';
import { isOwnHost } from './host-guard.ts';
import { PieceDesk, type PieceSource } from './piece-desk.ts';
import { streamBody } from './stream-body.ts';
import type { StreamedFile, StreamedTorrent } from './streamed-torrent.ts';

/** Where to listen, and what brings the pieces. */
export interface StreamServerOptions {
  readonly pieces: PieceSource;
  /** A literal address or a name of this machine. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** Players at once; each may keep a few connections while it seeks. */
const CONNECTIONS_MAX = 256;

/** A torrent and the desk where its readers meet. */
interface Shelf {
  readonly torrent: StreamedTorrent;
  readonly desk: PieceDesk;
}

/** A running server. */
export class StreamServer {
  readonly #options: StreamServerOptions;
  readonly #http: FastifyInstance;
  readonly #shelves = new Map<string, Shelf>();
  #readers = 0;

  private constructor(options: StreamServerOptions) {
    this.#options = options;
    this.#http = fastify({ forceCloseConnections: true, exposeHeadRoutes: false });
    this.#http.server.maxConnections = CONNECTIONS_MAX;
    this.#http.addHook('onRequest', async (request, reply) => this.#admit(request, reply));
    this.#http.setNotFoundHandler((_, reply) => refuse(reply, 404, 'there is no such file here'));
    this.#http.get('/', (_, reply) => {
      void reply.type('audio/x-mpegurl; charset=utf-8').send(this.playlist());
    });
    this.#http.route<{ Params: FileParams }>({
      method: ['GET', 'HEAD'],
      url: '/:torrent/:index/:name',
      handler: (request, reply) => this.#serve(request, reply),
    });
  }

  /**
   * Starts a server; its port is open when this resolves.
   *
   * @throws PlatformError PLATFORM_PORT_TAKEN, PLATFORM_LISTEN
   */
  static async start(options: StreamServerOptions): Promise<StreamServer> {
    const server = new StreamServer(options);
    const { host, port } = options;
    try {
      await server.#http.listen({ host, port });
    } catch (failure) {
      throw listenFailure(failure as NodeJS.ErrnoException, { host, port });
    }
    return server;
  }

  /** Its own address, with a slash at the end: a playlist of everything that is served. */
  get url(): string {
    const address = this.#http.server.address();
    const port = typeof address === 'object' && address ? address.port : this.#options.port;
    const { host } = this.#options;
    const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
    return `http://${hostAndPort({ host: name, port })}/`;
  }

  /** How many answers are being sent. */
  get readers(): number {
    return this.#readers;
  }

  /** Serves the files of a torrent from now on. */
  add(torrent: StreamedTorrent): void {
    const desk = new PieceDesk(this.#options.pieces, torrent);
    this.#shelves.set(torrent.key, { torrent, desk });
  }

  /** Everything of this torrent is on disk: nobody has to be asked any more. */
  complete(key: string): void {
    this.#shelves.get(key)?.desk.complete();
  }

  /** Where a file is played from. */
  urlOf(torrent: StreamedTorrent, file: StreamedFile): string {
    return `${this.url}${torrent.key}/${file.index}/${encodeURIComponent(file.name)}`;
  }

  /** All files as an M3U playlist. */
  playlist(): string {
    const entries = [...this.#shelves.values()].flatMap(({ torrent }) =>
      torrent.files.map((file) => {
        const title = file.path.replace(/\p{Cc}/gu, ' ');
        return `#EXTINF:-1,${title}\n${this.urlOf(torrent, file)}\n`;
      }),
    );
    return `#EXTM3U\n${entries.join('')}`;
  }

  /** Breaks off what is being sent. */
  async close(): Promise<void> {
    await this.#http.close();
  }

  /** Runs before every answer. */
  #admit(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    const { host } = request.headers;
    const { localAddress } = request.raw.socket;
    // A page that shows our pictures or plays our films would learn what is on this machine.
    reply.header('cross-origin-resource-policy', 'same-site');
    reply.header('x-content-type-options', 'nosniff');
    if (!isOwnHost({ host, localAddress, bindHost: this.#options.host })) {
      return refuse(reply, 403, 'this server answers to its own address only');
    }
    if (request.method === 'GET' || request.method === 'HEAD') return undefined;
    return refuse(reply.header('allow', 'GET, HEAD'), 405, 'files can be read here, nothing else');
  }

  #serve(request: FastifyRequest<{ Params: FileParams }>, reply: FastifyReply): FastifyReply {
    const { torrent: key, index } = request.params;
    const shelf = this.#shelves.get(key);
    const file = /^\d{1,9}$/.test(index) ? shelf?.torrent.files[Number(index)] : undefined;
    if (!shelf || !file) return refuse(reply, 404, 'there is no such file here');
    const tag = `"${key}-${file.index}"`;
    reply.header('etag', tag).header('accept-ranges', 'bytes');
    const { headers } = request;
    const isMatch = headers['if-match'] === undefined || lists(headers['if-match'], tag);
    if (!isMatch) return refuse(reply, 412, 'this is another file');
    if (headers['if-none-match'] !== undefined && lists(headers['if-none-match'], tag)) {
      return reply.code(304).send();
    }
    const { lengthBytes } = file;
    // Ranges are defined for GET alone, and only of the file the client has the beginning of.
    const isSame = headers['if-range'] === undefined || headers['if-range'] === tag;
    const wanted = request.method === 'GET' && isSame ? headers.range : undefined;
    const outcome = readRange(wanted, lengthBytes);
    switch (outcome.kind) {
      case 'unsatisfiable':
        reply.header('content-range', `bytes */${lengthBytes}`);
        return refuse(reply, 416, `the file has ${lengthBytes} bytes`);
      case 'whole':
        reply.code(200);
        return this.#send(reply, { shelf, file, range: { start: 0, end: lengthBytes } });
      case 'part': {
        const { start, end } = outcome.range;
        reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${lengthBytes}`);
        return this.#send(reply, { shelf, file, range: outcome.range });
      }
    }
  }

  #send(reply: FastifyReply, { shelf, file, range }: Answer): FastifyReply {
    const length = range.end - range.start;
    reply.type(contentTypeOf(file.name)).header('content-length', length);
    if (reply.request.method === 'HEAD' || length === 0) return reply.send();
    const { pieceLengthBytes } = shelf.torrent;
    reply.send(this.#counted(streamBody(shelf.desk, { file, range, pieceLengthBytes })));
    // Players look at these at once, and the first piece may take its time.
    reply.raw.flushHeaders();
    return reply;
  }

  #counted(body: Readable): Readable {
    this.#readers++;
    return body.once('close', () => this.#readers--);
  }
}

interface FileParams {
  readonly torrent: string;
  readonly index: string;
  readonly name: string;
}

interface Answer {
  readonly shelf: Shelf;
  readonly file: StreamedFile;
  readonly range: ByteRange;
}

/** Whether a list of entity tags names ours; weak or not is all the same, for it never changes. */
function lists(header: string, tag: string): boolean {
  return header.split(',').some((one) => ['*', tag, `W/${tag}`].includes(one.trim()));
}

function refuse(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${text}\n`);
}

function listenFailure(
  failure: NodeJS.ErrnoException,
  { host, port }: { readonly host: string; readonly port: number },
): PlatformError {
  const details = { host, port };
  const cause = { cause: failure };
  if (failure.code === 'EADDRINUSE') {
    const text = `port ${port} is taken by another program: choose another with --http-port`;
    return new PlatformError('PLATFORM_PORT_TAKEN', text, details, cause);
  }
  const text = `cannot listen on ${hostAndPort({ host, port })}: ${failure.message}`;
  return new PlatformError('PLATFORM_LISTEN', text, details, cause);
}
