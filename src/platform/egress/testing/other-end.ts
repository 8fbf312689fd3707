/** The agent of trackers and web seeds, for tests that stand at the other end of it. */
export { webAgent } from '../web-agent.ts';
