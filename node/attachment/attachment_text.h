/* Text as an attachment: UTF-8 that a person can read on any screen. */
#ifndef CONSILIUM_NODE_ATTACHMENT_ATTACHMENT_TEXT_H
#define CONSILIUM_NODE_ATTACHMENT_ATTACHMENT_TEXT_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

/* Appends `content` without a byte order mark to `out` and adds what was left behind to `*stripped`
 * (enum attachment_stripped).
 *
 * ERR_MALFORMED when it is not UTF-8, or holds control characters other than tab, new line,
 * carriage return and form feed: an escape sequence is a command to a terminal, not text. */
MUST_USE err attachment_text_clean(struct bytes content, struct buffer *out, uint32_t *stripped);

/* Is `name` fit to be shown as a file's name: 1 to ITEM_NAME_SIZE_MAX bytes of UTF-8, no slash or
 * backslash, no control character, none that turns the direction of writing or does not show? */
bool attachment_text_is_name(struct bytes name);

#endif
