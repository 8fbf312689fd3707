/** Placeholder until exchange exists. */
import type { PeerExtension, UploadPolicy } from '../../engine/index.ts';
export interface LoopExchange { extension: PeerExtension; policy: UploadPolicy; snapshot(): never; settle(): Promise<void> }
export async function openExchange(_options: unknown): Promise<LoopExchange> { throw new Error('later'); }
