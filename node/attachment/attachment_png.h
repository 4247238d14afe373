/* PNG (W3C PNG specification, third edition) without what does not show.
 *
 * Kept: IHDR, PLTE, IDAT, IEND and tRNS, gAMA, sRGB, cHRM, pHYs, sBIT, each with its CRC checked
 * and its place and size as they must be. Left behind: text, EXIF, times, colour profiles (they
 * name device and owner), animation frames, private chunks, all after IEND. A PNG's EXIF
 * orientation is left behind too: viewers do not follow it. The compressed pixels are copied as
 * they are. */
#ifndef CONSILIUM_NODE_ATTACHMENT_ATTACHMENT_PNG_H
#define CONSILIUM_NODE_ATTACHMENT_ATTACHMENT_PNG_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

/* True when `content` starts as a PNG does. */
bool attachment_png_is(struct bytes content);

/* Appends the cleaned image to `out` (never more than content.size) and adds what was left behind
 * to `*stripped` (enum attachment_stripped).
 *
 *   ERR_MALFORMED  it is damaged
 *   ERR_TOO_LARGE  more than ATTACHMENT_PIXEL_COUNT_MAX pixels */
MUST_USE err attachment_png_clean(struct bytes content, struct buffer *out, uint32_t *stripped);

#endif
