package conversations

import "strings"

// vocabulary has the common words in front.
var vocabulary = strings.Fields(`
the of and to a in is that it for you as with on be this are or by from at not
have an can will if which we one more when what all how their other use your
than there into some would about time these only new could also first most
after any where then two make should like them between each out over just
because many work way so these used good need while people system through same
very data well both before example number change part set long following
different without during right value point function list order under small
process result next back possible code file however start another case line
form high own show important problem using support state find help simple large
question model test user name string content write class within add step water
light house paper morning market garden language history science music energy
measure compare memory machine network server request answer reason moment
describe create provide include consider method article travel weather kitchen
recipe student teacher letter window mountain river island village company
product customer project manager meeting report budget schedule design colour
image table column index query search engine thread cache kernel driver device
balance measurement average distribution variance interval sample experiment
hypothesis evidence conclusion argument perspective opportunity environment
development information organization international understanding communication
characteristics responsibility implementation recommendation
`)
