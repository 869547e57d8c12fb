import { FileError } from "./errors.js";

const IMAGES = {
  png: ["image/png"],
  jpeg: ["image/jpeg", "jpg"],
  gif: ["image/gif"],
  webp: ["image/webp"],
};
const DOCUMENTS = {
  pdf: ["application/pdf"],
  csv: ["text/csv"],
  doc: ["application/msword"],
  docx: ["application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
  xls: ["application/vnd.ms-excel"],
  xlsx: ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
  html: ["text/html", "htm"],
  txt: ["text/plain"],
  md: ["text/markdown", "markdown"],
};

// As the service and Converse have them.
const LIMITS = { image: 3_932_160, document: 4_718_592 };
const MAX_NAME = 200;

/** What a block may carry itself. A body has 256 KB for the whole conversation. */
export const INLINE_BYTES = 16_384;

/** What a file input accepts: its attribute accept. */
export const ACCEPTED_FILES = [IMAGES, DOCUMENTS]
  .flatMap((kind) => Object.entries(kind))
  .flatMap(([format, [mediaType, other]]) => [mediaType, `.${format}`, ...(other ? [`.${other}`] : [])])
  .join(",");

/**
 * The block that a file becomes, without its bytes. Where a system gives files no
 * media type, or another one, as Windows does for CSV, the ending of the name
 * decides.
 * @param {{name?: string, mediaType?: string, size?: number}} file
 * @returns {{type: "image", format: string} | {type: "document", format: string, name: string}}
 */
export function attachmentOf({ name = "", mediaType = "", size }) {
  const ending = /\.([^.]+)$/.exec(name)?.[1].toLowerCase() ?? "";
  const image = formatOf(IMAGES, mediaType, ending);
  const format = image ?? formatOf(DOCUMENTS, mediaType, ending);
  if (!format) throw new FileError("format", `${name || "a file"} is of no type that a model takes (${mediaType || "unknown"})`);
  const type = image ? "image" : "document";
  const limit = LIMITS[type];
  if (size === 0) throw new FileError("empty", `${name || "a file"} is empty`);
  if (size > limit) throw new FileError("size", `${name || "a file"} has ${size} bytes; ${image ? "an image" : "a document"} may have ${limit}`, limit);
  return image ? { type, format } : { type, format, name: documentName(name) };
}

function formatOf(kind, mediaType, ending) {
  const [bare] = mediaType.toLowerCase().split(";");
  const entries = Object.entries(kind);
  const byEnding = entries.find(([format, [, other]]) => ending === format || (ending !== "" && ending === other));
  return (byEnding ?? entries.find(([, [known]]) => known === bare.trim()))?.[0];
}

/** A name as Converse takes it: letters, digits, single spaces, hyphens and brackets. */
function documentName(name) {
  const words = name.replace(/\.[^.]*$/, "").normalize("NFKD").replace(/\p{M}/gu, "").split(/[^A-Za-z0-9()[\]-]+/);
  return words.filter(Boolean).join(" ").slice(0, MAX_NAME).trim() || "document";
}

/**
 * The block with its bytes, or with the upload that has them.
 * @param {object} block
 * @param {Blob} blob
 * @param {() => Promise<{uploadId: string}>} upload
 */
export async function withBytes(block, blob, upload) {
  if (blob.size > INLINE_BYTES) return { ...block, uploadId: (await upload()).uploadId };
  return { ...block, data: base64(new Uint8Array(await blob.arrayBuffer())) };
}

/** @param {Uint8Array} bytes */
export function base64(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** @param {string} data base64 */
export function bytesOf(data) {
  return Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
}
