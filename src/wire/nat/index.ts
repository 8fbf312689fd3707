/** What a client says to a home router to be reachable: PCP, NAT-PMP, and the parts of UPnP. */
export {
  encodeSoapRequest,
  type IgdDescription,
  type IgdService,
  readIgdDescription,
  readSoapReply,
  type SoapReply,
  type SoapRequest,
} from './igd.ts';
export {
  decodeNatPmpReply,
  encodeNatPmpAddressRequest,
  encodeNatPmpMapRequest,
  NAT_PMP_PORT,
  type NatPmpReply,
} from './nat-pmp.ts';
export {
  decodePcpReply,
  encodePcpMapRequest,
  explainPcpResult,
  type MapProtocol,
  PCP_NONCE_BYTES,
  type PcpMapRequest,
  type PcpReply,
} from './pcp.ts';
export {
  decodeSsdpReply,
  encodeSsdpSearch,
  SSDP_GROUP,
  SSDP_GROUP_6,
  SSDP_PORT,
  type SsdpReply,
} from './ssdp.ts';
