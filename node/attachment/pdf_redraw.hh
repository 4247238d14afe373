// The way of a PDF through consilium-pdf: read, checked, drawn, compared.
#ifndef CONSILIUM_NODE_ATTACHMENT_PDF_REDRAW_HH
#define CONSILIUM_NODE_ATTACHMENT_PDF_REDRAW_HH

#include <cstdint>
#include <string>

#define _Static_assert static_assert // our headers are C

extern "C" {
#include "node/attachment/attachment_pdf.h"
#include "protocol/base/limits.h"
}

struct PdfRedrawn {
    std::string file;
    std::string findings;  // lines for the preview, as in struct attachment
    uint32_t stripped = 0; // enum attachment_stripped
    int page = 0;          // for which a document is refused, from 1; 0: for no single one
};

// Draws `input` anew. `ret_result.file` is a document when the answer is ATTACHMENT_PDF_CLEANED.
enum attachment_pdf_exit pdf_redraw(const std::string &input, bool is_as_pictures,
                                    PdfRedrawn &ret_result);

#endif
