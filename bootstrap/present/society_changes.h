/* What the pending head changes, for whoever is to sign it: all that would be another way after it.
 */
#ifndef CONSILIUM_BOOTSTRAP_PRESENT_SOCIETY_CHANGES_H
#define CONSILIUM_BOOTSTRAP_PRESENT_SOCIETY_CHANGES_H

#include "bootstrap/directory/society_directory.h"

/* Prints the pending head: its epoch and fingerprint, who signed and who did not yet, then settings
 * (old -> new), officers and members that change. */
void society_changes_show(const struct society *society);

/* Who signed it, and who did not yet: by name. */
void society_changes_signers(const struct society *society);

#endif
