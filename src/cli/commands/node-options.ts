/** Options that every command with a running node has. */
import { DataFolder } from '../../daemon/index.ts';
import type { NodeOptions } from '../../daemon/node/index.ts';
import type { BytesPerSecond } from '../../units/index.ts';
import type { HostPort } from '../arguments.ts';

/** As commander collects them. */
export interface NetworkOptions {
  readonly dataDir: string;
  readonly port?: number;
  readonly bind?: string;
  readonly uploadLimit: BytesPerSecond;
  readonly downloadLimit: BytesPerSecond;
  readonly peer?: readonly HostPort[];
  readonly trackers: boolean;
}

/** The node's side of them. */
export function nodeOptions(options: NetworkOptions): NodeOptions {
  return {
    data: new DataFolder(options.dataDir),
    port: options.port ?? null,
    bindHost: options.bind ?? null,
    uploadLimit: options.uploadLimit,
    downloadLimit: options.downloadLimit,
  };
}
