"""Find faces in small pictures, and link what is found in a film to tracks.

The model runs in the sandbox, in a process that gets pictures and answers with numbers.  Nothing
here is imported before a configuration asks for faces: the packages are an extra.
"""
