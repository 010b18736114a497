# Writes the files of a page as bytes in C: cmake -DOUT=FILE -DIN=A;B -P embed.cmake
# NAME.EXT becomes sc_ci_NAME_EXT and sc_ci_NAME_EXT_size.
set(text "/* Made by compiler/ci/embed.cmake. */\n#include \"ci/page.h\"\n")
foreach(file IN LISTS IN)
  get_filename_component(name ${file} NAME)
  string(REPLACE "." "_" name ${name})
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND text "const unsigned char sc_ci_${name}[] = {${bytes}};\n"
    "const size_t sc_ci_${name}_size = sizeof(sc_ci_${name});\n")
endforeach()
file(WRITE ${OUT} "${text}")
