/* Is this text? One answer for everything that is read, written or attached. */
#ifndef CONSILIUM_PROTOCOL_BASE_UTF8_H
#define CONSILIUM_PROTOCOL_BASE_UTF8_H

#include "protocol/base/bytes.h"

/* True when all of `text` is UTF-8 as RFC 3629 has it: shortest forms, no surrogates, nothing above
 * U+10FFFF. NUL and other control characters are UTF-8 too; who shows text decides about them. */
bool utf8_valid(struct bytes text);

#endif
