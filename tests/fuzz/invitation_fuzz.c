/* Whatever file comes as an invitation, a roster is either filled with proved content or empty. */
#include <stdlib.h>

#include "protocol/roster/invitation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void *memory;
    struct roster_plan plan = roster_plan_small();
    struct invitation invitation;
    if (memory == NULL)
        memory = malloc(roster_size(&plan));
    if (memory == NULL)
        abort();
    if (invitation_read((struct bytes){data, size}, &invitation) != OK)
        return 0;
    struct roster roster;
    roster_init(&roster, &plan, memory, &invitation.node_id, NULL);
    err failure = invitation_accept(&invitation, &roster, (struct wall){1});
    if (failure == OK &&
        (roster_is_behind(&roster) || roster_find(&roster, &invitation.node_id) == NULL))
        abort();
    return 0;
}
