// Draws a PDF's pages into a new PDF, by poppler-glib on cairo; a module of consilium-pdf.
#ifndef CONSILIUM_NODE_ATTACHMENT_PDF_DRAWING_HH
#define CONSILIUM_NODE_ATTACHMENT_PDF_DRAWING_HH

#include <cstddef>
#include <string>
#include <vector>

#include "node/attachment/pdf_sight.hh"

enum class PdfPictures {
    EXACT,  // each pixel as it was
    SMALLER // as JPEG
};

struct PdfDrawing {
    const std::string &file;             // the document; borrowed
    const std::vector<PdfSight> &sights; // of each page; borrowed
    bool is_as_pictures;                 // each page one picture, without any text
    PdfPictures pictures;
    size_t size_max;
};

enum class PdfDrawn { DONE, DAMAGED, TOO_LARGE, NO_MEMORY };

// Characters that are not seen are left out. `ret_file` is the new document.
PdfDrawn pdf_drawing_draw(const PdfDrawing &drawing, std::string &ret_file);

#endif
