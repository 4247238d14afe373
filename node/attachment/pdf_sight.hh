// Which characters of a PDF's page can be seen, found by drawing the page; a module of
// consilium-pdf.
//
// The page is drawn twice by poppler's Splash, with and without its text. A character is seen when
// it was the last to change some pixel, and that pixel differs between the two drawings. So
// characters in the colour of the paper, under a shape, outside the page, or in an invisible
// rendering mode (a layer of recognised text) are not seen.
#ifndef CONSILIUM_NODE_ATTACHMENT_PDF_SIGHT_HH
#define CONSILIUM_NODE_ATTACHMENT_PDF_SIGHT_HH

#include <string>
#include <vector>

#include <poppler/PDFDoc.h>

struct PdfGlyph {
    double x, y;          // origin, in points from the page's upper left corner
    double right, middle; // where it ends, and the middle of its height
    std::u32string text;  // empty: the font does not tell
    bool is_seen;         // white space: as the character before
    bool is_painted;      // not in an invisible rendering mode
    bool is_font_missing; // neither in the file nor on this computer
};

struct PdfSight {
    std::vector<PdfGlyph> glyphs;     // in the order of drawing
    bool has_coded_picture = false;   // JPEG or JPEG 2000, in which texts can be hidden
    bool has_covered_picture = false; // something opaque lies over a part of a picture
    bool has_cropped_picture = false; // a part of a picture is outside of what shows
};

// Page `page`, from 1.
PdfSight pdf_sight_of(PDFDoc &document, int page);

// All text of a page that cairo wrote, whether it can be seen or not: what a reader can extract.
std::u32string pdf_sight_text(PDFDoc &document, int page);

// Without white space and what has no shape; sorted, so that texts compare as bags of characters.
std::u32string pdf_sight_bag(const std::u32string &text);

std::string pdf_sight_utf8(const std::u32string &text);

bool pdf_sight_is_space(char32_t character);

#endif
