/* A damaged export restores nothing, or a roster that exports and restores again. */
#include <stdlib.h>

#include "protocol/roster/roster_export.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void *memory;
    static uint8_t export[1 << 18];
    struct roster_plan plan = roster_plan_small();
    struct node_id nobody = {{0}};
    struct roster roster;
    if (memory == NULL)
        memory = malloc(roster_size(&plan));
    if (memory == NULL)
        abort();
    roster_init(&roster, &plan, memory, &nobody, NULL);
    if (roster_export_read(&roster, (struct bytes){data, size}) != OK)
        return roster.chain.count == 0 ? 0 : (abort(), 0);
    struct buffer buffer = buffer_over(export, sizeof export);
    roster_export_write(&roster, &buffer);
    if (buffer.failed || buffer.size != roster_export_size(&roster) ||
        roster_export_read(&roster, buffer_bytes(&buffer)) != OK)
        abort();
    return 0;
}
