/** Who may open sockets or look names up: the ways out are decided in one place. */
import ts from 'typescript';
import { findNodes, type Rule } from './source.ts';

/** What connects, sends or asks name servers. */
const NETWORK =
  /^(?:node:(?:net|tls|dgram|dns|dns\/promises|http|https|http2)|undici|socks|fastify)$/;

/** Of these, only literal addresses are told from names. */
const HARMLESS: ReadonlySet<string> = new Set(['isIP', 'isIPv4', 'isIPv6']);

/**
 * Each is given an `Egress` and asks it, or serves on this machine, or asks a chain, or the router
 * on our own link (from the bound address, and with a proxy not at all). A file that is new here
 * must do the same: what opens a socket by itself goes past the user's proxy.
 */
const MAY: ReadonlySet<string> = new Set([
  'src/platform/egress/http-greeting.ts',
  'src/platform/egress/name-lookup.ts',
  'src/platform/egress/socks-greeting.ts',
  'src/platform/egress/tunnel.ts',
  'src/platform/egress/udp-association.ts',
  'src/platform/egress/web-agent.ts',
  'src/platform/net/adopt-socket.ts',
  'src/platform/net/tcp-dialer.ts',
  'src/platform/net/tcp-listener.ts',
  'src/platform/net/udp-port.ts',
  'src/platform/dht/dht-sockets.ts',
  'src/platform/lsd/lsd-sockets.ts',
  'src/platform/nat/gateway-http.ts',
  'src/platform/nat/ssdp-search.ts',
  'src/platform/nat/udp-ask.ts',
  'src/platform/tracker/tracker-http.ts',
  'src/platform/tracker/tracker-udp.ts',
  'src/platform/tracker/tracker-server.ts',
  'src/platform/webseed/range-client.ts',
  'src/daemon/stream/stream-server.ts',
]);

/** Nothing else in the client imports the network, or calls `fetch`. */
export const noSockets: Rule = (source) => {
  const { path } = source;
  const isClient = /^src\/(?:platform|daemon|cli)\//.test(path);
  if (!isClient || MAY.has(path) || /\.test\.ts$|\/testing\//.test(path)) return [];
  return findNodes(source, (node) => {
    if (ts.isImportDeclaration(node)) return opens(node) ? ADVICE : null;
    return ts.isCallExpression(node) && calls(node) ? ADVICE : null;
  });
};

const ADVICE = 'connect by an Egress (src/platform/egress), or say in socket-rules.ts why not';

function calls({ expression, arguments: [first] }: ts.CallExpression): boolean {
  if (expression.kind !== ts.SyntaxKind.ImportKeyword) return expression.getText() === 'fetch';
  return first !== undefined && ts.isStringLiteral(first) && NETWORK.test(first.text);
}

function opens({ moduleSpecifier, importClause }: ts.ImportDeclaration): boolean {
  if (!ts.isStringLiteral(moduleSpecifier) || !NETWORK.test(moduleSpecifier.text)) return false;
  if (importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword) return false;
  const named = importClause?.namedBindings;
  if (importClause?.name || !named || !ts.isNamedImports(named)) return true;
  return named.elements.some((one) => !one.isTypeOnly && !HARMLESS.has(one.name.text));
}
