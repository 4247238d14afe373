/* `heal`: prepares a head that heals a split: it names the last head of both sides, follows the
 * last one that both have, and its content holds the members of both (spec/roster.md, 4). */
#ifndef CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_HEAL_H
#define CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_HEAL_H

#include "bootstrap/directory/society_directory.h"
#include "bootstrap/society/society_options.h"

/* Command: `heal FOLDER`, the directory as the other side has it. Exit status. */
int society_heal_split(const struct society_options *options);

#endif
