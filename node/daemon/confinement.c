#include "node/daemon/confinement.h"

#include <stdio.h>
#include <string.h>

#include "node/attachment/attachment_pdf.h"
#include "node/os/log.h"
#include "node/os/sandbox.h"

void confinement_find(const struct configuration *configuration,
                      struct confinement *ret_confinement)
{
    struct confinement *confinement = ret_confinement;
    memset(confinement, 0, sizeof *confinement);
    configuration_socket_folder(configuration, confinement->socket_folder);
    size_t count = 0;
    confinement->folders[count++] = configuration->data;
    if (configuration->marker != NULL)
        confinement->folders[count++] = configuration->marker;
    if (configuration->recordings != NULL)
        confinement->folders[count++] = configuration->recordings;
    if (strcmp(confinement->socket_folder, "/") != 0) /* that would open everything */
        confinement->folders[count++] = confinement->socket_folder;
    for (size_t i = 0; i < configuration->federation_count; i++)
        confinement->folders[count++] = configuration->federations[i].data;
    if (attachment_pdf_find(confinement->pdf_program, sizeof confinement->pdf_program) == OK)
        confinement->programs[0] = confinement->pdf_program;
}

static struct sandbox confinement_sandbox(const struct confinement *confinement)
{
    static const char *const fonts[] = {PDF_FONTS_FOLDER_LIST NULL}; /* the child reads them */
    return (struct sandbox){.read_paths = fonts,
                            .write_paths = confinement->folders,
                            .run_paths =
                                confinement->programs[0] == NULL ? NULL : confinement->programs};
}

err confinement_paths(const struct confinement *confinement)
{
    const struct sandbox sandbox = confinement_sandbox(confinement);
    err failure = sandbox_paths(&sandbox);
    if (failure != ERR_UNSUPPORTED)
        return failure;
    log_warn("paths-not-confined", log_text("why", "this kernel has no Landlock"),
             log_text("do", "boot one with it, 5.13 or later, CONFIG_SECURITY_LANDLOCK"));
    return OK;
}

err confinement_calls(const struct confinement *confinement)
{
    const struct sandbox sandbox = confinement_sandbox(confinement);
    return sandbox_calls(&sandbox);
}
