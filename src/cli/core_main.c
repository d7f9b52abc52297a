#include "mirrorctl/cli.h"

int main(int argc, char **argv)
{
    return cli_core_main(argc, argv);
}
