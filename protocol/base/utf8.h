/* The UTF-8 check for all text that is read, written or attached. */
#ifndef CONSILIUM_PROTOCOL_BASE_UTF8_H
#define CONSILIUM_PROTOCOL_BASE_UTF8_H

#include "protocol/base/bytes.h"

/* True when all of `text` is UTF-8 by RFC 3629: shortest forms, no surrogates, nothing above
 * U+10FFFF. NUL and other control characters pass too; code that displays text must filter them. */
bool utf8_valid(struct bytes text);

#endif
