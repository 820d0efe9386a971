# Texts of the command line.

cli-read = read
cli-source-count = source
cli-unexplained = unexplained
cli-in-agreement = In agreement.
cli-not-in-agreement = Not in agreement.
