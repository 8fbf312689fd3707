/** X.509 certificates made on the spot (RFC 5280), for HTTPS servers that tests run. */
import { generateKeyPairSync, sign } from 'node:crypto';

/** What a certificate says, and its key. Both are PEM. */
export interface Certificate {
  readonly name: string;
  readonly cert: string;
  readonly key: string;
}

/** What is to be certified. */
export interface CertificateTerms {
  readonly name: string;
  /** The IPv4 address it is for; absent for an authority. */
  readonly host?: string;
  /** Who signs; absent when it signs itself. */
  readonly issuer?: Certificate;
  /** Until when it holds. Default: an hour from now. */
  readonly until?: Date;
}

const HOUR_MS = 3_600_000;
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');
/** The extension `basicConstraints`, critical: an authority or not. */
const IS_AUTHORITY = Buffer.from('300f0603551d130101ff040530030101ff', 'hex');
const SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex');

/** Makes a certificate with a key of its own; it holds since a day before its end. */
export function makeCertificate(terms: CertificateTerms): Certificate {
  const { name, host, issuer, until = new Date(Date.now() + HOUR_MS) } = terms;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const key = pem('PRIVATE KEY', privateKey.export({ type: 'pkcs8', format: 'der' }));
  const signed = der(
    0x30,
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(1, ...spki.subarray(-8))),
    ECDSA_WITH_SHA256,
    nameOf(issuer?.name ?? name),
    der(0x30, timeOf(new Date(until.getTime() - 24 * HOUR_MS)), timeOf(until)),
    nameOf(name),
    spki,
    der(0xa3, der(0x30, host === undefined ? IS_AUTHORITY : hostOf(host))),
  );
  const signature = sign('sha256', signed, issuer?.key ?? privateKey);
  const bits = der(0x03, Buffer.of(0), signature);
  return { name, key, cert: pem('CERTIFICATE', der(0x30, signed, ECDSA_WITH_SHA256, bits)) };
}

/** One element: tag, length, content. Shorter than 64 KiB. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function nameOf(name: string): Buffer {
  return der(0x30, der(0x31, der(0x30, COMMON_NAME, der(0x0c, Buffer.from(name)))));
}

/** UTCTime, for the years to 2049. */
function timeOf(time: Date): Buffer {
  return der(0x17, Buffer.from(`${time.toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
}

function hostOf(host: string): Buffer {
  const address = der(0x87, Buffer.from(host.split('.').map(Number)));
  return der(0x30, SUBJECT_ALT_NAME, der(0x04, der(0x30, address)));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
