//! CodeDeploy's own calls to Lambda and CloudWatch, which count against the account's rates like anybody's.

use std::time::Duration;

use super::CodeDeploy;
use crate::identity::Scope;
use crate::lambda::LambdaError;

/// The waits before a refused call is tried again.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

impl CodeDeploy {
    /// Waits until Lambda takes one more call; after a few refusals it is given up.
    pub(crate) async fn call_lambda(&self, scope: &Scope, operation: &str) -> Result<(), LambdaError> {
        for wait in WAITS {
            if self.admitted(scope, "lambda", operation) {
                return Ok(());
            }
            self.clock.sleep(wait).await;
        }
        if self.admitted(scope, "lambda", operation) { Ok(()) } else { Err(LambdaError::Throttled) }
    }

    /// Whether CloudWatch takes one more look at alarms. The next poll comes soon enough; nothing is tried again.
    pub(crate) fn may_describe_alarms(&self, scope: &Scope) -> bool {
        self.admitted(scope, "cloudwatch", "DescribeAlarms")
    }

    fn admitted(&self, scope: &Scope, service: &str, operation: &str) -> bool {
        self.aws.rates.as_ref().is_none_or(|rates| rates.admit(scope, service, operation))
    }
}
