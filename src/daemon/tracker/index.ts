/** A tracker of our own, and asking others about a torrent. */

export {
  startTrackerServer,
  type TrackerServer,
  type TrackerServerOptions,
} from '../../platform/tracker/index.ts';
export { type ScrapeResult, scrapeTrackers } from './scrape.ts';
