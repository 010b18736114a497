/*
 * page.h - the files of the report's page, as bytes; private to this folder.
 * The build makes them of page.html, page.css and page.js (embed.cmake).
 */
#ifndef SC_PAGE_H
#define SC_PAGE_H

#include <stddef.h>

extern const unsigned char sc_ci_page_html[], sc_ci_page_css[], sc_ci_page_js[];
extern const size_t sc_ci_page_html_size, sc_ci_page_css_size,
    sc_ci_page_js_size;

#endif
