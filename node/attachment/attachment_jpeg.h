/* JPEG (ITU-T T.81, JFIF 1.02) without what does not show.
 *
 * Kept: frame, scans, tables, the JFIF header without its small preview, Adobe's APP14 (it says how
 * colours are coded), and of EXIF one number: the orientation, since a picture taken with the
 * camera held upright would lie on its side without it. It is written anew as an EXIF segment of
 * that one field. Left behind: all other APPn (EXIF, XMP, IPTC, colour profiles, further pictures),
 * comments, all after EOI. */
#ifndef CONSILIUM_NODE_ATTACHMENT_ATTACHMENT_JPEG_H
#define CONSILIUM_NODE_ATTACHMENT_ATTACHMENT_JPEG_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

/* What the cleaned image may be larger than the given one: a missing end of a broken EXIF. */
enum { ATTACHMENT_JPEG_GROWTH_MAX = 64 };

/* True when `content` starts as a JPEG does. */
bool attachment_jpeg_is(struct bytes content);

/* Appends the cleaned image to `out` (at most content.size + ATTACHMENT_JPEG_GROWTH_MAX) and adds
 * what was left behind to `*stripped` (enum attachment_stripped).
 *
 *   ERR_MALFORMED    it is damaged
 *   ERR_UNSUPPORTED  lossless, hierarchical or arithmetic coding, which browsers do not show
 *   ERR_TOO_LARGE    more than ATTACHMENT_PIXEL_COUNT_MAX pixels */
MUST_USE err attachment_jpeg_clean(struct bytes content, struct buffer *out, uint32_t *stripped);

#endif
