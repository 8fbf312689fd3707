/** Makes the records of torrents that are added, and of magnets that become known. */
import fs from 'node:fs/promises';
import { makeResume, type ResumeRecord } from '../../platform/disk/index.ts';
import { Bitfield, toHex, unixSeconds } from '../../units/index.ts';
import { type InfoDict, parseInfoDict, wrapInfoDict } from '../../wire/index.ts';
import { type Place, targetAt } from '../places/index.ts';
import type { TorrentSource } from '../torrent-source.ts';
import { payloadBytes } from '../transfer/torrent-content.ts';
import { digests, otherNameOf, readInput } from '../transfer/torrent-input.ts';
import { selectedBy } from '../transfer/torrent-wishes.ts';
import type { AddRequest, TorrentRecord } from './session-torrent.ts';

/** A record and, for a torrent said to be complete, why it can be believed. */
export interface NewTorrent {
  readonly record: TorrentRecord;
  readonly resume: ResumeRecord | null;
}

/** Reads a request. Throws `WireError` or `DaemonError` for a source that cannot be used. */
export async function readRequest(request: AddRequest): Promise<NewTorrent> {
  const { source, root, names = [] } = request;
  const input = readInput(source);
  const { info, trackers } = input;
  const key = toHex(input.infoHash);
  const isTrusted = request.isSaidToBeComplete === true && info !== null;
  const resume = isTrusted ? await believe(key, { root, names }, info) : null;
  const totalBytes = info ? payloadBytes(info) : 0;
  const record: TorrentRecord = {
    key,
    otherName: otherNameOf(key, input),
    name: info?.name ?? null,
    root,
    moveTo: request.moveTo ?? null,
    moving: null,
    names,
    position: 0,
    isPaused: request.isPaused ?? false,
    isComplete: resume !== null,
    failure: null,
    totalBytes,
    haveBytes: resume ? totalBytes : 0,
    receivedBytes: 0,
    sentBytes: 0,
    addedAt: unixSeconds(Date.now() / 1000),
    completedAt: null,
    trackers: request.useTrackers === false ? [] : trackers,
    isPrivate: info?.isPrivate ?? false,
    peers: request.peers ?? [],
    filePriorities: request.filePriorities ?? null,
    isSequential: request.isSequential ?? false,
    uploadLimit: finite(request.limits?.upload),
    downloadLimit: finite(request.limits?.download),
    seeding: request.seeding ?? null,
    seedingEnd: null,
    seedSeconds: 0,
    seedingSince: null,
    sentAt: null,
  };
  return { record, resume };
}

/** A limit as it is remembered: null when there is none. */
export function finite(rate: number | undefined): number | null {
  return rate === undefined || rate === Infinity ? null : rate;
}

/** What a magnet has become. */
export interface MagnetFile {
  readonly source: TorrentSource;
  readonly info: InfoDict;
  /** What there is to download. */
  readonly totalBytes: number;
}

/** The torrent file of a magnet whose info dictionary has come, with its trackers and layers. */
export function metainfoOf(
  infoBytes: Uint8Array,
  trackers: TorrentRecord['trackers'],
  layers: ReadonlyMap<string, Uint8Array> = new Map(),
): MagnetFile {
  const info = parseInfoDict(infoBytes, digests);
  const bytes = wrapInfoDict(info, layers, { trackers });
  return { source: { kind: 'metainfo', bytes }, info, totalBytes: payloadBytes(info) };
}

/**
 * Priorities by what a link selects (BEP 53), which the torrent's file does not say; null when the
 * source is no link, or selects nothing.
 */
export function selectionOf(
  source: TorrentSource | null,
  info: InfoDict,
): readonly number[] | null {
  if (source?.kind !== 'magnet') return null;
  const { files } = selectedBy(readInput(source).selectOnly, info);
  return files.length > 0 ? files : null;
}

/** A resume record of all pieces when every file has its length; null when one has not. */
async function believe(key: string, place: Place, info: InfoDict): Promise<ResumeRecord | null> {
  const target = targetAt(key, info, place);
  const { layout } = target;
  for (const file of layout.files) {
    if (file.isPad) continue;
    const stat = await fs.stat(layout.pathOf(file)).catch(() => null);
    if (stat?.size !== file.lengthBytes) return null;
  }
  const { pieceCount } = info;
  const have = new Bitfield(pieceCount);
  have.setAll();
  return makeResume(target, have, false);
}
