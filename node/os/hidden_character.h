/* Characters that are not seen, or change how others are seen: controls, direction marks,
 * characters without width. In text from others they could forge or disguise a line. */
#ifndef CONSILIUM_NODE_OS_HIDDEN_CHARACTER_H
#define CONSILIUM_NODE_OS_HIDDEN_CHARACTER_H

#include <stdbool.h>
#include <stdint.h>

/* `point` is a code point of Unicode. True for line feed and tab too. */
bool hidden_character_is(uint32_t point);

#endif
