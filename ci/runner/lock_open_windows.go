package runner

import "os"

const noFollow = 0 // the folder is the user's own

func ownFile(*os.File) error { return nil }
